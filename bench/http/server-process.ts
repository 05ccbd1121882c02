import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

/** Short against the time that a server takes to start, long against the time that asking takes. */
const READY_POLL_MS = 25

/** An HTTP server in a process of its own, as it would run. */
export interface ServerProcess {
  url: string
  process: ChildProcess
  stop(): Promise<void>
}

/** Starts `node program` with this environment, and resolves once `readyUrl` answers with 2xx. */
export async function startServer(options: {
  program: string
  port: number
  readyUrl: string
  env: Record<string, string>
  /** A file's number: where it logs to. */
  log: number | 'ignore'
}): Promise<ServerProcess> {
  const child = spawn(process.execPath, [options.program], {
    stdio: ['ignore', options.log, 'inherit'],
    env: { PATH: process.env.PATH, PORT: String(options.port), ...options.env },
  })
  while (!(await answers(options.readyUrl))) {
    if (child.exitCode !== null) throw new Error(`${options.program} ended with ${child.exitCode}`)
    await sleep(READY_POLL_MS)
  }
  return {
    url: `http://127.0.0.1:${options.port}`,
    process: child,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, 'exit')
      child.kill('SIGTERM')
      await exit
    },
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok
  } catch {
    return false
  }
}
