import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { freePort, freshDatabase, localCredentials, machineVariables } from '@product-events/local'
import { expect, inject, onTestFinished, vi } from 'vitest'

/** The service, or another program of this folder, as a process that ends with its test. */
export interface Service {
  process: ChildProcess
  api: string
  operations: string
  environment: Record<string, string>
  stdout: () => string
  stderr: () => string
  exit: Promise<number | null>
}

export async function environment(): Promise<Record<string, string>> {
  return {
    ...localCredentials,
    DATABASE_URL: await freshDatabase(inject('postgresUrl')),
    AWS_ENDPOINT_URL_SQS: inject('sqsEndpoint'),
    SQS_QUEUE_NAME: `queue-${await freePort()}-${Date.now()}`,
    HTTP_PORT: String(await freePort()),
    METRICS_PORT: String(await freePort()),
  }
}

export function start(environment: Record<string, string>, main = 'main.ts'): Service {
  const child = spawn(process.execPath, [`${import.meta.dirname}/../${main}`], {
    env: { ...machineVariables(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  return {
    process: child,
    api: `http://127.0.0.1:${environment.HTTP_PORT}`,
    operations: `http://127.0.0.1:${environment.METRICS_PORT}`,
    environment,
    stdout: () => stdout,
    stderr: () => stderr,
    exit: once(child, 'close').then(([code]) => code as number | null),
  }
}

export const ready = (service: Service) =>
  vi.waitFor(() => expect(service.stdout() + service.stderr()).toContain('product-service is ready'), {
    timeout: 60_000,
  })
