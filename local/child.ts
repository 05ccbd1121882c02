import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** One process of the stack. */
export interface Part {
  name: string
  process: ChildProcess
  /** Asks it to end, and makes it when it takes too long. Resolves once it is gone. */
  stop(): Promise<void>
  /** Makes it end at once. */
  kill(): void
  /** The end of what it said on stderr. */
  lastWords(): string
}

/** Enough for a stack trace. */
const LAST_WORDS_LENGTH = 4_000

export function isGone(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** Whether a process of that id exists, of any user. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Sends `signal`, after `timeoutMs` also `force`, and resolves once the process is gone. */
export async function stopChild(
  child: ChildProcess,
  { signal, force, timeoutMs }: { signal: NodeJS.Signals; force: NodeJS.Signals; timeoutMs: number },
): Promise<void> {
  if (isGone(child)) return
  const exit = once(child, 'exit')
  child.kill(signal)
  const timer = setTimeout(() => child.kill(force), timeoutMs)
  await exit
  clearTimeout(timer)
}

/** Keeps the end of what the process says on stderr, for the day it dies. */
export function recordLastWords(child: ChildProcess): () => string {
  let words = ''
  child.stderr?.on('data', (chunk: Buffer) => (words = (words + chunk.toString()).slice(-LAST_WORDS_LENGTH)))
  return () => words.trim()
}
