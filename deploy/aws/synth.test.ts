import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CfnResource, Stack } from 'aws-cdk-lib'
import type { CfnDBInstance } from 'aws-cdk-lib/aws-rds'
import * as s3 from 'aws-cdk-lib/aws-s3'
import type { IConstruct } from 'constructs'
import { expect, onTestFinished, test } from 'vitest'
import { example, stackNames, synthesise, variants } from './testing/synthesised.ts'

const here = import.meta.dirname

/** Runs `npm run synth` as a process of its own, behind `wrapper`, and returns every file that it wrote. */
function synthesisedFiles(wrapper: string[]): Record<string, string> {
  const outdir = mkdtempSync(join(tmpdir(), 'product-events-'))
  onTestFinished(() => rmSync(outdir, { recursive: true }))
  const [command, ...args] = [...wrapper, process.execPath, 'app.ts', 'settings.example.json']
  execFileSync(command, args, { cwd: here, env: { PATH: process.env['PATH'], CDK_OUTDIR: outdir }, stdio: 'pipe' })
  return Object.fromEntries(readdirSync(outdir).map((name) => [name, readFileSync(join(outdir, name), 'utf8')]))
}

const withoutNetwork = ['unshare', '--net', '--map-root-user']
const canUnshare = spawnSync('unshare', [...withoutNetwork.slice(1), 'true']).status === 0

test('synthesis writes the same bytes each time, where the system allows it once without any network', () => {
  const files = synthesisedFiles([])
  expect(Object.keys(files)).toEqual(expect.arrayContaining(stackNames.map((name) => `${name}.template.json`)))
  expect(synthesisedFiles(canUnshare ? withoutNetwork : [])).toEqual(files)
})

test.each(Object.keys(variants))('the templates of %s are those in snapshots/', async (name) => {
  const settings = variants[name] ?? example
  const templates = synthesise(settings)
  for (const stack of stackNames)
    await expect(`${JSON.stringify(templates[stack], null, 1)}\n`).toMatchFileSnapshot(
      join(here, 'snapshots', `${name}.${stack}.json`),
    )
})

/** What the CDK finds wrong with a tree that `damage` broke. */
function findingsOf(damage: (find: (path: string) => CfnResource) => void): string {
  try {
    synthesise(example, (app) => damage((path) => elementAt(app, path)))
  } catch (error) {
    return (error as Error).message
  }
  return 'no finding'
}

function elementAt(app: IConstruct, path: string): CfnResource {
  const construct = path.split('/').reduce((parent, id) => parent.node.findChild(id), app)
  return (construct.node.defaultChild ?? construct) as CfnResource
}

test('planted faults fail the synthesis, each by its name', () => {
  const findings = findingsOf((find) => {
    find('Data/Queue').addPropertyOverride('VisibilityTimeout', 'soon')
    find('Data/Queue').addPropertyOverride('MessageRetentionPeriodd', 30)
    find('Data/DeadLetterQueue').addPropertyOverride('VisibilityTimeout', 43_201)
    // A bucket that does not require TLS, and a database without encryption that the internet reaches.
    void new s3.Bucket(Stack.of(find('Data/Queue')), 'Planted')
    const database = find('Data/Database') as CfnDBInstance
    database.publiclyAccessible = true
    database.storageEncrypted = false
  })
  expect(findings).toContain("VisibilityTimeout: 'soon' is not of type 'integer'")
  expect(findings).toContain("'MessageRetentionPeriodd' was unexpected")
  expect(findings).toContain('VisibilityTimeout: 43201 is greater than the maximum of 43200')
  expect(findings).toContain('AwsSolutions-S10')
  expect(findings).toContain('AwsSolutions-RDS2')
  expect(findings).toContain('RDS instance has PubliclyAccessible set to true')
})

test('a tree that nothing broke has no finding', () => {
  expect(findingsOf(() => {})).toBe('no finding')
})
