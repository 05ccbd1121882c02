import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as documents from './document-rules.ts'
import * as rules from './rules.ts'

/** What git ignores, and git itself. */
const ignored = ['.git', 'node_modules', 'dist', 'coverage', '.data', '.env']

const root = join(import.meta.dirname, '..')

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => !ignored.includes(name) && !name.endsWith('.log'))
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)]))
}

const repository: rules.Repository = new Map(
  filesBelow('').map((path) => [path, readFileSync(join(root, path), 'utf8')]),
)
const of = (files: Record<string, string>): rules.Repository => new Map(Object.entries(files))
const needs = (version: string) => of({ 'a/package.json': `{"dependencies":{"pg":"${version}"}}` })
const lines = (count: number) => 'x\n'.repeat(count)

describe('in this repository', () => {
  test.each([
    ['arrows point one way, and the services never import each other', rules.oneWayArrows],
    ['workspaces import each other by name', rules.importsByName],
    ['what is for tests stays in tests', rules.testingStaysInTests],
    ['no file is longer than 250 lines', rules.shortFiles],
    ['no comment is wider than 120 columns', rules.narrowComments],
    ['the environment is read only in config.ts', rules.environmentOnlyInConfig],
    ['no file or folder is a grab-bag', rules.tellingNames],
    ['every test runs', rules.allTestsRun],
    ['nothing is left unfinished', rules.nothingUnfinished],
    ['the lock file names no registry', rules.noRegistryAddress],
    ['every import is declared where it is used', rules.declaredImports],
    ['every dependency has one exact version', rules.exactVersions],
    ['every path that a document names exists', documents.pathsExist],
    ['every command that a document names exists', documents.commandsExist],
  ])('%s', (_promise, rule) => {
    expect(rule(repository)).toEqual([])
  })

  test('the rules see all of it', () => {
    expect([...repository.keys()]).toEqual(
      expect.arrayContaining(['tidy/tidy.test.ts', 'packages/outbox/append.ts', 'README.md']),
    )
  })
})

describe('the rules catch', () => {
  test.each([
    ['services/product-service/a.ts', "import { x } from '@product-events/notification-service'"],
    ['services/product-service/a.test.ts', "import { x } from '../notification-service/b.ts'"],
    ['services/product-service/a.ts', "import { x } from '@product-events/local'"],
    ['packages/outbox/a.ts', "import type { Product } from '@product-events/contracts'"],
    ['packages/outbox/a.ts', "import {\n  x,\n  y,\n} from '@product-events/http-api'"],
    ['packages/contracts/a.ts', "export * from '@product-events/telemetry'"],
    ['packages/contracts/a.ts', "const x = await import('@product-events/queue')"],
    ['packages/database/a.ts', "import '../../local/index.ts'"],
    ['somewhere/a.ts', 'export const x = 1'],
  ])('an arrow that points back: %s with %j', (path, source) => {
    expect(rules.oneWayArrows(of({ [path]: source }))).toHaveLength(1)
  })

  test.each([
    [
      'services/product-service/products/a.ts',
      "import { append } from '@product-events/outbox'\nimport { x } from '../config.ts'",
    ],
    ['services/product-service/a.test.ts', "import { freshDatabase } from '@product-events/local'"],
    ['e2e/a.e2e.test.ts', "import { x } from '../services/product-service/app.ts'"],
    ['packages/contracts/a.ts', "import { x } from 'typebox'\nconst sql = `DELETE from '@product-events/telemetry'`"],
  ])('no arrow that points the right way: %s with %j', (path, source) => {
    expect(rules.oneWayArrows(of({ [path]: source }))).toEqual([])
  })

  test('a path into another workspace, but not one within', () => {
    const source = "import { x } from '../../packages/telemetry/logger.ts'\nimport { y } from './b.ts'"
    expect(rules.importsByName(of({ 'services/product-service/a.ts': source }))).toHaveLength(1)
  })

  test('code that imports what is for tests', () => {
    for (const name of ['testing/process.ts', '../testing/app.ts']) {
      const source = `import { x } from './${name}'`
      expect(
        rules.testingStaysInTests(of({ 'packages/queue/a.ts': source, 'packages/queue/b.test.ts': source })),
      ).toHaveLength(1)
    }
    expect(
      rules.oneWayArrows(of({ 'packages/queue/testing/a.ts': "import { x } from '@product-events/local'" })),
    ).toEqual([])
  })

  test('a file of 251 lines, but not one of 250', () => {
    expect(rules.shortFiles(of({ 'a.ts': lines(250), 'b.ts': lines(251), 'c.md': lines(251) }))).toEqual([
      'b.ts: 251 lines, at most 250',
    ])
  })

  test('a comment of 121 columns, but not one of 120, and no code', () => {
    const [fits, wide] = [` * ${'x'.repeat(117)}`, `/** ${'x'.repeat(114)} */`]
    expect(rules.narrowComments(of({ 'a.ts': `${fits}\n${wide}`, 'b.js': `// ${wide}` }))).toEqual([
      'a.ts:2: 121 columns, at most 120',
      'b.js:1: 124 columns, at most 120',
    ])
    expect(rules.narrowComments(of({ 'a.ts': `const x = '${wide}'`, 'b.md': wide, 'c.sql': `-- ${wide}` }))).toEqual([])
  })

  test('the environment read outside config.ts, but not in tests and in what runs the stack', () => {
    const source = 'const x = process.env.HOST'
    const fine = { 'services/product-service/config.ts': source, 'outbox/a.test.ts': source, 'local/start.ts': source }
    expect(rules.environmentOnlyInConfig(of(fine))).toEqual([])
    const handedOver = 'const config = readServiceConfig(process.env)'
    expect(rules.environmentOnlyInConfig(of({ 'services/product-service/main.ts': handedOver }))).toEqual([])
    const imported = "import { argv, env } from 'node:process'"
    expect(rules.environmentOnlyInConfig(of({ 'outbox/a.ts': source, 'queue/b.ts': imported }))).toHaveLength(2)
  })

  test('names that say nothing, but not names that contain them', () => {
    const names = ['a/utils.ts', 'helpers/b.ts', 'common.test.ts', 'x/lib/y.sql', 'misc.md', 'shared/z', 'util.ts']
    expect(rules.tellingNames(of(Object.fromEntries(names.map((name) => [name, '']))))).toHaveLength(names.length)
    expect(
      rules.tellingNames(of({ 'library.ts': '', 'outbox/commonly.ts': '', '.github/helper-text.md': '' })),
    ).toEqual([])
  })

  test.each(['only', 'skip', 'todo'])('a test with .%s, but not a condition with a name', (word) => {
    expect(rules.allTestsRun(of({ 'a.test.ts': `describe.${word}('x')` }))).toHaveLength(1)
    expect(rules.allTestsRun(of({ 'a.test.ts': `test.concurrent.${word}('x')` }))).toHaveLength(1)
    expect(rules.allTestsRun(of({ 'a.test.ts': `test.${word}If(noPrometheus)('x')` }))).toEqual([])
  })

  test('what is left for later', () => {
    // In pieces, so that this file passes its own rule.
    const [later, broken] = [['TO', 'DO'].join(''), ['FIX', 'ME'].join('')]
    expect(rules.nothingUnfinished(of({ 'a.sql': `-- ${later}: index`, 'b.md': broken, 'c.ts': 'done' }))).toHaveLength(
      2,
    )
  })

  test('a registry in the lock file, but not a link to a workspace', () => {
    const lock = '"resolved": "https://registry.example/a.tgz", "resolved": "contracts"'
    expect(
      rules.noRegistryAddress(of({ 'package-lock.json': lock, 'deploy/aws/package-lock.json': lock })),
    ).toHaveLength(2)
  })

  test('an import that only another package.json declares', () => {
    const files = {
      'package.json': '{"devDependencies":{"vitest":"1.0.0"}}',
      'packages/queue/package.json': '{"dependencies":{"@aws-sdk/client-sqs":"1.0.0"}}',
      'packages/queue/a.ts': "import { x } from '@aws-sdk/client-sqs/deep'\nimport { once } from 'node:events'",
      'packages/queue/a.test.ts': "import { test } from 'vitest'\nimport { x } from './b.ts'",
      'bench/package.json': '{"dependencies":{"@aws-sdk/client-sqs":"1.0.0"}}',
      'bench/a.ts': "import { x } from '@aws-sdk/client-sqs'",
    }
    expect(rules.declaredImports(of(files))).toEqual([])
    const undeclared = {
      'packages/queue/b.ts': "import pg from 'pg'",
      'packages/queue/c.ts': "import { test } from 'vitest'",
    }
    expect(rules.declaredImports(of({ ...files, ...undeclared }))).toHaveLength(2)
  })

  test('a range of versions', () => {
    for (const range of ['^1.0.0', '~1.0.0', '1.x', '*', 'latest'])
      expect(rules.exactVersions(needs(range))).toHaveLength(1)
    for (const exact of ['1.0.0', '18.4.0-beta.17', 'npm:typescript@5.9.3', 'npm:@oven/bun@1.4.5'])
      expect(rules.exactVersions(needs(exact))).toEqual([])
  })

  test.each([
    '`outbox/gone.ts`',
    '`gone.md`',
    '[x](gone.md#part)',
    '`gone/`',
    'run `sh gone.sh`',
    '```\nbox  gone.sql\n```',
  ])('a document that names what is not there: %j', (text) => {
    expect(documents.pathsExist(of({ 'outbox/README.md': text, 'outbox/claim.ts': '' }))).toHaveLength(1)
  })

  test.each([
    [
      '`outbox/claim.ts` and `claim.ts`, in `outbox/`, [this](claim.ts#x), [that](../a.md), [web](https://x.example/y.md)',
    ],
    [
      '`application/json`, `POST /products`, `HOST=0.0.0.0`, `.data/`, `cp example.env .env`, `dist/<service>.js`, `*.test.ts`, `.ts`',
    ],
    ["```ts\nimport { x } from './yours.ts'\n```"],
  ])('no document that tells the truth: %j', (text) => {
    const files = { 'outbox/README.md': text, 'outbox/claim.ts': '', 'a.md': '', 'example.env': '' }
    expect(documents.pathsExist(of(files))).toEqual([])
  })

  test('a command that is not there', () => {
    const files = { 'package.json': '{"scripts":{"test":"x","test:unit":"x"}}', Makefile: 'run: ## x\n' }
    const good = '`npm test`, `npm run test:unit -- x`, `make run`, `npm ci`'
    expect(documents.commandsExist(of({ ...files, 'a.md': good }))).toEqual([])
    const bad = '```sh\nnpm ci && npm start\nnpm run gone\nmake gone\n```'
    expect(documents.commandsExist(of({ ...files, 'a.md': bad }))).toHaveLength(3)
  })
})
