import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

export const run = promisify(execFile)
export const root = resolve(import.meta.dirname, '../..')

const names = ['outbox', 'inbox']

/** Packs both libraries as `npm publish` would, and returns the paths of the tarballs. */
export async function pack(folder: string): Promise<string[]> {
  const packed = names.map(async (name) => {
    const cwd = join(root, 'packages', name)
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd })
    const [{ filename, files }] = JSON.parse(stdout.slice(stdout.indexOf('['))) as [Tarball]
    const foreign = files.filter(({ path }) => !/^(dist\/[^/]+|LICENSE|README\.md|package\.json)$/.test(path))
    if (foreign.length > 0) throw new Error(`${filename} also has ${foreign.map(({ path }) => path).join(', ')}`)
    return join(folder, filename)
  })
  return Promise.all(packed)
}

interface Tarball {
  filename: string
  files: { path: string }[]
}

/** Installs the tarballs into an empty folder, as a project with this `package.json` does. */
export async function install(folder: string, tarballs: readonly string[], manifest: object): Promise<void> {
  await mkdir(folder)
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest))
  // All optional peers, and the types that TypeScript asks for.
  const others = [...new Set((await Promise.all(names.map(peersOf))).flat()), '@types/pg', '@types/node']
  const versions = await Promise.all(others.map(async (name) => `${name}@${await versionOf(name)}`))
  const words = ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', ...versions]
  await run('npm', [...words, ...tarballs], { cwd: folder })
}

async function peersOf(name: string): Promise<string[]> {
  const { peerDependencies } = JSON.parse(await readFile(join(root, 'packages', name, 'package.json'), 'utf8')) as {
    peerDependencies: Record<string, string>
  }
  return Object.keys(peerDependencies)
}

/** The version that this repository uses. */
async function versionOf(name: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(root, 'node_modules', name, 'package.json'), 'utf8')) as {
    version: string
  }
  return version
}

/** Every module that the installed libraries export. */
async function modulesIn(folder: string): Promise<string[]> {
  const all = await Promise.all(
    names.map(async (name) => {
      const installed = join('@product-events', name)
      const file = join(folder, 'node_modules', installed, 'package.json')
      const { exports } = JSON.parse(await readFile(file, 'utf8')) as { exports: Record<string, unknown> }
      return Object.keys(exports).map((subpath) => join(installed, subpath))
    }),
  )
  return all.flat().filter((specifier) => !specifier.endsWith('.json'))
}

/**
 * The program of `program/run.js`, which first loads all modules: `main.mjs`, `main.cjs`, a test for Jest, and a
 * bundle.
 */
export async function writePrograms(folder: string): Promise<void> {
  const source = await readFile(join(import.meta.dirname, 'program/run.js'), 'utf8')
  const program = source.replace('export async', 'async')
  const modules = [...(await modulesIn(folder)), '@aws-sdk/client-sqs', 'pg']
  const imports = modules.map((specifier, n) => `import * as module${n} from '${specifier}'`)
  const requires = modules.map((specifier, n) => `const module${n} = require('${specifier}')`)
  const all = `{ ${modules.map((_, n) => `...module${n}`).join(', ')}, pg: module${modules.length - 1} }`
  const loaded = `(({ pg, ...all }) => ({ ...all, pg: pg.default ?? pg }))(${all})`
  const files = {
    'main.mjs': `${imports.join('\n')}\n${program}\nrun(${loaded}).then(() => console.log('once'))`,
    'main.cjs': `${requires.join('\n')}\n${program}\nrun(${loaded}).then(() => console.log('once'))`,
    'main.test.cjs': `${requires.join('\n')}\n${program}\ntest('once', () => run(${loaded}), 60_000)`,
    'jest.config.json': '{ "transform": {} }',
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
}

/** One file without node_modules, as for a Lambda function. */
export async function bundle(esbuild: string, project: string, folder: string): Promise<void> {
  await mkdir(folder)
  const options = ['--bundle', '--platform=node', '--target=node20.19', '--external:pg-native', '--log-level=error']
  await run(process.execPath, [esbuild, join(project, 'main.mjs'), ...options, `--outfile=${join(folder, 'main.cjs')}`])
}
