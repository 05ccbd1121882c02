import { MOST_IN_FLIGHT, SEND_TIMEOUT_MS } from '@product-events/outbox'
import { type FoundQueue, openQueue, type Service } from '@product-events/process/service'
import { measureDependencies } from '@product-events/telemetry'
import type { Config } from './config.ts'
import { startRelay } from './relay.ts'

/** As many calls as the relay has in flight at most, and some for finding the queue. Near the queue it needs ten. */
const MAX_SQS_CONNECTIONS = MOST_IN_FLIGHT + 2

/** The queue, as the relay knows it. */
export interface QueueState {
  /** Whether its last sends arrived there. */
  takesEvents: boolean
}

/** The resources of a relay. */
export interface Resources extends Service, FoundQueue {
  queueState: QueueState
}

/** Waits for the queue and starts the relay to it. Resolves with the queue's URL. */
export async function openRelay(service: Service, config: Config): Promise<{ queue: string }> {
  const queueState: QueueState = { takesEvents: false }
  measureDependencies(service.registry, { database: worksFor(service), queue: async () => queueState.takesEvents })
  const found = await openQueue(service, config, {
    // SQS answers within milliseconds. A relay's lease allows for no more.
    requestTimeoutMs: SEND_TIMEOUT_MS,
    maxConnections: MAX_SQS_CONNECTIONS,
  })
  queueState.takesEvents = true
  startRelay({ ...service, ...found, queueState }, config, service.logger, service.opened)
  return { queue: found.queue.url }
}

/** For an API without a relay: other processes publish its events. */
export function measureDatabase(service: Service): { queue?: undefined } {
  measureDependencies(service.registry, { database: worksFor(service) })
  return {}
}

function worksFor({ readiness }: Service): () => Promise<boolean> {
  return async () => (await readiness.missing()).database === undefined
}
