import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { type Part, recordLastWords, stopChild } from './child.ts'

/** The emulator waits for long polls under way; its data survives a kill, so a stop need not wait. */
const STOP_TIMEOUT_MS = 2_000

export interface LocalSqs extends Part {
  endpoint: string
}

export interface SqsOptions {
  port: number
  /** With it every message survives a kill; without, they live in memory. */
  dataDir?: string
  /** A Ctrl-C in the terminal goes to every process of its group; true: not to this one, the caller stops it. */
  detached?: boolean
}

/**
 * Starts the SQS emulator as a process of its own (so that it can be killed like the real thing) and resolves once it
 * answers. It ends when this process is gone.
 */
export async function startSqs({ port, dataDir, detached = false }: SqsOptions): Promise<LocalSqs> {
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const child = spawn(process.execPath, [`${import.meta.dirname}/sqs-main.ts`, String(port), dataDir ?? ''], {
    detached,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const lastWords = recordLastWords(child)
  await Promise.race([
    once(child, 'message'),
    once(child, 'close').then(([code]) => {
      throw new Error(`the SQS emulator ended with ${code} before it was ready:\n${lastWords()}`)
    }),
  ])
  return {
    name: 'SQS',
    endpoint: `http://127.0.0.1:${port}`,
    process: child,
    lastWords,
    stop: () => stopChild(child, { signal: 'SIGTERM', force: 'SIGKILL', timeoutMs: STOP_TIMEOUT_MS }),
    kill: () => child.kill('SIGKILL'),
  }
}
