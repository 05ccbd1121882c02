import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { freePort, localCredentials, machineVariables } from '@product-events/local'
import { vi } from 'vitest'

export type ServiceProcess = Awaited<ReturnType<typeof spawnService>>

/** The service as a process of its own, with these variables and no others of ours. `ready` waits for it. */
export async function spawnService(variables: Record<string, string>) {
  const [httpPort, metricsPort] = [await freePort(), await freePort()]
  const child = spawn(process.execPath, [`${import.meta.dirname}/../main.ts`], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...machineVariables(),
      ...localCredentials,
      HTTP_PORT: String(httpPort),
      METRICS_PORT: String(metricsPort),
      ...variables,
    },
  })
  const exit = once(child, 'exit') as Promise<[code: number | null, signal: string | null]>
  const lines: Record<string, unknown>[] = []
  createInterface(child.stdout).on('line', (line) => lines.push(JSON.parse(line) as Record<string, unknown>))
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const health = `http://127.0.0.1:${metricsPort}/health/ready`

  return {
    exit,
    http: `http://127.0.0.1:${httpPort}`,
    stderr: () => stderr,
    logged: (text: string) => lines.filter((line) => String(line.msg).startsWith(text)),
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    async ready(): Promise<void> {
      await vi.waitFor(
        async () => {
          if (child.exitCode !== null) return
          const answer = await fetch(health)
          if (!answer.ok) throw new Error(await answer.text())
        },
        { timeout: 60_000 },
      )
      if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}: ${stderr}`)
    },
    async missing(): Promise<Record<string, string>> {
      const answer = await fetch(health)
      return ((await answer.json()) as { missing?: Record<string, string> }).missing ?? {}
    },
    /** For the end of a test: however it went, nothing is left running. */
    end: async (): Promise<void> => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await exit
    },
  }
}
