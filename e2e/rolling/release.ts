import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { repositoryRoot } from './root.ts'
import type { Program } from '../stack.ts'

const run = promisify(execFile)

/** The programs of a release. */
export interface Release {
  name: string
  'product-service': Program
  relay: Program
  'notification-service': Program
  remove(): Promise<void>
}

/** Where the programs are in a release: the first one had them elsewhere. */
const layouts = [
  { services: 'services', telemetry: 'packages/telemetry' },
  { services: '.', telemetry: 'telemetry' },
]

/**
 * The release at `ref` (a tag or a commit), checked out into a temporary folder. It runs on the packages that are
 * installed here, with its own workspaces; on packages of its own where it needs one that is not installed here, which
 * takes the registry. Rejects when git does not know `ref`, as in a shallow clone.
 */
export async function checkOutRelease(ref: string): Promise<Release> {
  const dir = await mkdtemp(join(tmpdir(), 'release-'))
  const archive = join(dir, 'release.tar')
  await run('git', ['archive', '--output', archive, ref], { cwd: repositoryRoot })
  await run('tar', ['-xf', archive, '-C', dir])
  if (await needsOthers(dir)) await installPackages(dir)
  else await linkPackages(dir)
  const files = await readdir(dir)
  const layout = layouts.find(({ services }) => services === '.' || files.includes(services)) ?? layouts[0]!
  const program = (main: string): Program => ({
    main: join(dir, layout.services, main),
    tracing: pathToFileURL(join(dir, layout.telemetry, 'tracing.ts')).href,
  })
  return {
    name: ref,
    'product-service': program('product-service/main.ts'),
    relay: program('product-service/relay-main.ts'),
    'notification-service': program('notification-service/main.ts'),
    remove: () => rm(dir, { recursive: true, force: true }),
  }
}

interface Manifest {
  name: string
  workspaces?: string[]
  dependencies?: Record<string, string>
}

async function readManifest(dir: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(dir, 'package.json'), 'utf8')) as Manifest
}

/** Whether a copy of the repository needs a package that is not installed here, other than its own workspaces. */
async function needsOthers(dir: string): Promise<boolean> {
  const { workspaces = [] } = await readManifest(dir)
  const manifests = await Promise.all(workspaces.map((workspace) => readManifest(join(dir, workspace))))
  const own = new Set(manifests.map(({ name }) => name))
  const needed = manifests.flatMap(({ dependencies = {} }) => Object.keys(dependencies))
  return needed.some((name) => !own.has(name) && !existsSync(join(repositoryRoot, 'node_modules', name)))
}

async function installPackages(dir: string): Promise<void> {
  await run('npm', ['ci', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund'], { cwd: dir })
}

/**
 * Links the packages that are installed here into a copy of the repository, and its own workspaces by their names
 * there.
 */
export async function linkPackages(dir: string): Promise<void> {
  const modules = join(dir, 'node_modules')
  const installed = join(repositoryRoot, 'node_modules')
  await mkdir(modules)
  for (const name of await readdir(installed)) {
    if (name !== '@product-events') await symlink(join(installed, name), join(modules, name))
  }
  const { workspaces = [] } = await readManifest(dir)
  for (const workspace of workspaces) {
    const { name } = await readManifest(join(dir, workspace))
    if (name.startsWith('@')) await mkdir(join(modules, name.split('/')[0]!), { recursive: true })
    await symlink(resolve(dir, workspace), join(modules, name))
  }
}
