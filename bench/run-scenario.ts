import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ScenarioResult } from './results.ts'

/** What a scenario's process is told. */
export interface Order {
  name: string
  rounds: number
  quick: boolean
  dir: string
}

/** What it tells. */
export type Told = { kind: 'progress'; text: string } | { kind: 'result'; result: ScenarioResult }

/** A scenario that was told to stop closes what it has open; one that takes longer than this is killed. */
const CLOSE_TIMEOUT_MS = 20_000
/** Killed processes need a moment to be gone, PostgreSQL's the longest. */
const GONE_AFTER_MS = 500

/**
 * Runs one scenario as a process of its own: what it leaves in memory slows no other down, and when it fails, it takes
 * no other with it. Whatever becomes of it, its processes and its files are gone afterwards. Rejects when `signal`
 * aborts.
 */
export async function runScenario(
  order: Omit<Order, 'dir'> & { title: string },
  say: (progress: string) => void,
  signal: AbortSignal,
): Promise<ScenarioResult> {
  const dir = await mkdtemp(join(tmpdir(), 'product-events-bench-'))
  // PostgreSQL does not run as root; who it runs as must get through to its data.
  await chmod(dir, 0o755)
  // A group of its own, so that a Ctrl-C in the terminal reaches only this process, and all of it can be ended at once.
  const child = spawn(
    process.execPath,
    [`${import.meta.dirname}/scenario-main.ts`, JSON.stringify({ ...order, dir })],
    {
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    },
  )
  let result: ScenarioResult | undefined
  child.on('message', (told: Told) => {
    if (told.kind === 'progress') say(told.text)
    else result = told.result
  })
  const stop = () => stopWithin(child, CLOSE_TIMEOUT_MS)
  // When this process has to end at once, there is no time for more.
  const abandon = () => {
    signalGroup(child, 'SIGQUIT')
    rmSync(dir, { recursive: true, force: true })
  }
  signal.addEventListener('abort', stop, { once: true })
  process.once('exit', abandon)
  try {
    const [code, by] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
    signal.throwIfAborted()
    return result ?? { title: order.title, failed: `its process ended with ${by ?? code} before the last round` }
  } finally {
    signal.removeEventListener('abort', stop)
    await endGroup(child)
    await rm(dir, { recursive: true, force: true, maxRetries: 5 })
    process.off('exit', abandon)
  }
}

function stopWithin(child: ChildProcess, timeoutMs: number): void {
  const timer = setTimeout(() => void endGroup(child), timeoutMs)
  child.once('close', () => clearTimeout(timer))
  child.kill('SIGTERM')
}

/** Ends the remaining processes of a scenario. SIGQUIT first: on it PostgreSQL gives back its shared memory. */
async function endGroup(child: ChildProcess): Promise<void> {
  if (!signalGroup(child, 'SIGQUIT')) return
  for (const until = Date.now() + GONE_AFTER_MS; Date.now() < until && signalGroup(child, 0);) await sleep(20)
  signalGroup(child, 'SIGKILL')
}

/** False when no process is left to receive it. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  try {
    return child.pid !== undefined && process.kill(-child.pid, signal)
  } catch {
    return false
  }
}
