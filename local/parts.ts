import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Part } from './child.ts'
import { portsOf, type StartConfig } from './config.ts'
import { readOrMakePassword } from './password.ts'
import { type LocalPostgres, startPostgres } from './postgres.ts'
import { type ServiceName, startService, untilReady } from './service.ts'
import { type LocalSqs, startSqs } from './sqs.ts'
import type { Supervisor } from './supervise.ts'

/** The services are stopped first, then PostgreSQL and SQS. */
const GROUND = 0
export const SERVICES = 1

/** The processes of `npm start`: each can be started, and ended for a while on purpose. */
export interface Parts {
  startPostgres(): Promise<LocalPostgres>
  startSqs(): Promise<LocalSqs>
  /** Resolves once the service is ready. */
  startService(name: ServiceName, databaseUrl: string): Promise<void>
  /** Ends a part now and starts it again after `seconds`, or not at all when `signal` aborts. */
  away(name: 'sqs' | 'postgres' | ServiceName, seconds: number, signal: AbortSignal): Promise<void>
}

export interface PartsOptions {
  supervisor: Supervisor
  config: StartConfig
  say: (text: string) => void
  onLine: (service: ServiceName, line: string) => void
}

export function createParts({ supervisor, config, say, onLine }: PartsOptions): Parts {
  const running = new Map<string, { part: Part; startAgain: () => Promise<unknown> }>()

  async function keep<P extends Part>(name: string, stage: number, start: () => P | Promise<P>): Promise<P> {
    const part = await supervisor.start(stage, start)
    running.set(name, { part, startAgain: () => keep(name, stage, start) })
    return part
  }

  return {
    startPostgres: () =>
      keep('postgres', GROUND, async () =>
        startPostgres({
          password: await readOrMakePassword(config.dataDir),
          dataDir: postgresDir(config),
          port: config.ports.POSTGRES_PORT,
          detached: true,
          onFirstStart: () =>
            say(`First start: making a PostgreSQL below ${config.dataDir}; this takes a few seconds.`),
        }),
      ),
    startSqs: () =>
      keep('sqs', GROUND, () =>
        startSqs({ port: config.ports.SQS_PORT, dataDir: join(config.dataDir, 'sqs'), detached: true }),
      ),
    async startService(name, databaseUrl) {
      const { http, metrics } = portsOf(config, name)
      const service = await keep(name, SERVICES, () =>
        startService(name, {
          databaseUrl,
          sqsEndpoint: `http://127.0.0.1:${config.ports.SQS_PORT}`,
          queueName: config.queueName,
          httpPort: http,
          metricsPort: metrics,
          logLevel: config.logLevel,
          variables: config.tracing,
          onLine: (line) => onLine(name, line),
        }),
      )
      await untilReady(service, metrics, supervisor.signal)
    },
    async away(name, seconds, signal) {
      const kept = running.get(name)
      if (!kept) throw new Error(`${name} is not running`)
      supervisor.release(kept.part)
      running.delete(name)
      if (name === 'postgres') await kept.part.stop()
      else kept.part.kill()
      await sleep(seconds * 1000, undefined, { signal }).catch(() => {})
      if (!signal.aborted) await kept.startAgain()
    },
  }
}

export function postgresDir({ dataDir }: StartConfig): string {
  return join(dataDir, 'postgres')
}
