import { execFile, execFileSync } from 'node:child_process'
import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Defines } from './configurations.ts'
import { type Trace, traceOf } from './words.ts'

const run = promisify(execFile)
/** No configuration comes near it: a search that does is not complete, and fails. */
const MAX_DEPTH = 1_000_000
const MAX_MEMORY_MB = 8_000
/** Depths tried one after the other for a run that never ends well: a short one is found before a long one. */
const CYCLE_DEPTHS = [30, 40, 50, 60, 80, 100, 150, 200, 1_000]
const MAX_OUTPUT = 64 * 1024 * 1024

export type Search =
  /** Visits every state. */
  | 'all states'
  /** Visits every state and looks for runs in which an event never leaves, under weak fairness. */
  | 'all runs'
  /** Breadth first, so that the first broken promise has a shortest trace. */
  | 'shortest trace'
  /** For runs that never end well: with a growing bound on their length. */
  | 'short cycle'

export interface Found {
  states: number
  depth: number
  memoryMb: number
  seconds: number
  /** The run that broke a promise, if there is one. */
  trace: Trace | undefined
}

/** Whether `spin` and `gcc` are there. */
export function hasChecker(): boolean {
  try {
    execFileSync('spin', ['-V'], { stdio: 'ignore' })
    execFileSync('gcc', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/**
 * Checks the model with `defines` completely, or until it breaks a promise. Needs `spin` and `gcc`, and a folder in the
 * system's temporary one, which it removes. Rejects when the search is not complete, and with an `AbortError` on
 * `signal`.
 */
export async function check(defines: Defines, search: Search, signal?: AbortSignal): Promise<Found> {
  const folder = await mkdtemp(join(tmpdir(), 'outbox-model-'))
  try {
    return await checkIn(folder, defines, search, signal)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function checkIn(folder: string, defines: Defines, search: Search, signal?: AbortSignal): Promise<Found> {
  const options = { cwd: folder, maxBuffer: MAX_OUTPUT, ...(signal && { signal }) }
  for (const file of await readdir(import.meta.dirname))
    if (file.endsWith('.pml')) await copyFile(join(import.meta.dirname, file), join(folder, file))
  const searchesRuns = search === 'all runs' || search === 'short cycle'
  const flags = [...flagsOf(defines), ...(searchesRuns ? ['-DLIVENESS'] : [])]
  await run('spin', ['-a', ...flags, 'relay.pml'], options)
  await run('gcc', [...compilerFlags(search), '-o', 'pan', 'pan.c'], options)
  const started = performance.now()
  const printed = await searched(search, options)
  const seconds = (performance.now() - started) / 1_000
  const hasTrail = (await readdir(folder)).includes('relay.pml.trail')
  const trace = hasTrail ? traceOf((await run('spin', ['-t', ...flags, 'relay.pml'], options)).stdout) : undefined
  return { ...figuresOf(printed), seconds, trace }
}

function flagsOf(defines: Defines): string[] {
  return Object.entries(defines).map(([name, value]) => (value === true ? `-D${name}` : `-D${name}=${value}`))
}

/**
 * No partial order reduction: nearly every step touches what others read. States are kept compressed, each of them
 * exactly.
 */
function compilerFlags(search: Search): string[] {
  const runs = search === 'all runs' || search === 'short cycle'
  const quickly = search === 'shortest trace' || search === 'short cycle'
  return [
    // Without this a variant takes much longer to compile than to check.
    quickly ? '-O0' : '-O1',
    runs ? '-DNFAIR=3' : '-DSAFETY',
    ...(search === 'shortest trace' ? ['-DBFS'] : []),
    '-w',
    '-DNOREDUCE',
    '-DCOLLAPSE',
    `-DMEMLIM=${MAX_MEMORY_MB}`,
  ]
}

async function searched(search: Search, options: { cwd: string; signal?: AbortSignal }): Promise<string> {
  const pan = async (...args: string[]) => (await run('./pan', ['-E', ...args], options)).stdout
  if (search === 'shortest trace') return pan()
  if (search === 'all states') return complete(await pan(`-m${MAX_DEPTH}`))
  if (search === 'all runs') return complete(await pan('-a', '-f', `-m${MAX_DEPTH}`))
  let printed = ''
  for (const depth of CYCLE_DEPTHS) {
    printed = await pan('-a', '-f', `-m${depth}`)
    if (!/errors: 0/.test(printed)) break
  }
  return printed
}

function complete(printed: string): string {
  const reason = /max search depth too small|reached -DMEMLIM bound|out of memory/.exec(printed)
  if (reason) throw new Error(`The search is not complete: ${reason[0]}. Make the configuration smaller.`)
  return printed
}

function figuresOf(printed: string): Pick<Found, 'states' | 'depth' | 'memoryMb'> {
  const figure = (pattern: RegExp) => Number(pattern.exec(printed)?.[1])
  return {
    states: figure(/([\d.e+]+) states, stored/),
    depth: figure(/depth reached (\d+)/),
    memoryMb: Math.round(figure(/([\d.]+)\s+total actual memory usage/)),
  }
}
