import { freePort, type Part, startService, untilReady } from '@product-events/local'
import { type StateWatch, watchStates } from '../history/states.ts'
import { keepRunning } from './keep-running.ts'
import type { Watched } from './onlooker.ts'
import type { Password } from './password.ts'
import type { Receivers } from './receivers.ts'

/** Lines of each process that are kept for the report of a violation. */
const LOG_LINES_KEPT = 500

/** A process of ours, started again when it ends. */
export interface Service extends Watched {
  /** Resolves once the process that runs now says that it is ready. */
  ready: () => Promise<unknown>
}

/** What all services of a stack run on. */
export interface Surroundings {
  databaseUrl: string
  sqsEndpoint: string
  queueName: string
  password: Password
  receivers: Receivers
  /** What each process logged last, by its name. */
  logs: Map<string, string[]>
  onSurprise: (what: string) => void
}

/** Two of each kind. They end together. */
export async function keepServices(around: Surroundings, opened: AsyncDisposableStack): Promise<Service[]> {
  const services: Service[] = []
  opened.defer(async () => void (await Promise.all(services.map(({ member }) => member.stop()))))
  for (const kind of ['API', 'relay', 'consumer'] as const) {
    for (const number of [1, 2]) services.push(await keepService(kind, `${kind} ${number}`, around))
  }
  return services
}

async function keepService(
  kind: 'API' | 'relay' | 'consumer',
  name: string,
  { password, receivers, logs, onSurprise, ...on }: Surroundings,
): Promise<Service> {
  const service = kind === 'consumer' ? 'notification-service' : 'product-service'
  const [httpPort, metricsPort] = [await freePort(), await freePort()]
  const lines: string[] = []
  logs.set(name, lines)
  let part: Part | undefined
  let states: StateWatch | undefined
  const start = () => {
    const own = (states = watchStates(name, onSurprise))
    part = startService(service, {
      ...on,
      httpPort,
      metricsPort,
      logLevel: 'info',
      onLine(line) {
        if (lines.push(line) > LOG_LINES_KEPT) lines.shift()
        own.read(line)
      },
      variables: { DATABASE_PASSWORD_FILE: password.file, ...(kind === 'consumer' && receivers.variables) },
      ...(kind === 'relay' && { main: `${import.meta.dirname}/../../services/product-service/relay-main.ts` }),
    })
    return part
  }
  const member = await keepRunning({ kind, name, start, onSurprise })
  return {
    member,
    url: `http://127.0.0.1:${httpPort}`,
    ready: async () => part && untilReady(part, metricsPort),
    metricsUrl: `http://127.0.0.1:${metricsPort}`,
    database: kind === 'consumer' ? 'notifications' : 'products',
    states: () => states,
  }
}
