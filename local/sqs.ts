import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'

export interface LocalSqs {
  endpoint: string
  process: ChildProcess
  stop(): Promise<void>
}

/**
 * Starts the SQS emulator as a process of its own (so that it can be killed like the real thing) and resolves once it
 * answers. With `dataDir` every message survives a kill; without, they live in memory.
 */
export async function startSqs({ port, dataDir }: { port: number; dataDir?: string }): Promise<LocalSqs> {
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true })
  const child = spawn(process.execPath, [`${import.meta.dirname}/sqs-main.ts`, String(port), dataDir ?? ''], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let stderr = ''
  child.stderr?.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-4_000)))
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the SQS emulator ended with ${code} before it was ready:\n${stderr}`)
    }),
  ])
  return {
    endpoint: `http://127.0.0.1:${port}`,
    process: child,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, 'exit')
      child.kill('SIGTERM')
      await exit
    },
  }
}
