import { resolve } from 'node:path'
import { freePort, startService, untilReady } from '@product-events/local'

export const ourProcesses = ['product-service', 'notification-service', 'relay'] as const
export type OurProcessName = (typeof ourProcesses)[number]

/** One of ours, ready. */
export interface OurProcess {
  url: string
  metricsUrl: string
  pid: number
  stop(): Promise<void>
  /** Without the second that a stop gives to callers. */
  kill(): void
}

/** Starts one of our processes, logging at info to nowhere, and resolves once it says it is ready. */
export async function startOurs(
  name: OurProcessName,
  ground: { databaseUrl: string; sqsEndpoint: string; queueName: string; variables?: Record<string, string> },
): Promise<OurProcess> {
  const [httpPort, metricsPort] = [await freePort(), await freePort()]
  const options = { ...ground, httpPort, metricsPort, logLevel: 'info', onLine: () => {} }
  const relayAlone = resolve(import.meta.dirname, '../../services/product-service/relay-main.ts')
  const service =
    name === 'relay' ? startService('product-service', { ...options, main: relayAlone }) : startService(name, options)
  await untilReady(service, metricsPort)
  return {
    url: `http://127.0.0.1:${httpPort}`,
    metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
    pid: service.process.pid ?? 0,
    stop: service.stop,
    kill: service.kill,
  }
}
