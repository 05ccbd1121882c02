import { connect, disconnect } from '@product-events/database'
import { connectSqs } from '@product-events/queue'
import type { ConsoleConfig } from './config.ts'
import type { Places } from './needs/needs.ts'
import { findQueues, type Queues } from '@product-events/inbox/command'

/** The poller asks three questions at once; the rest is for people. */
const MAX_CONNECTIONS = 5
const MAX_SQS_CONNECTIONS = 4
/** The longest wait of a look into the dead-letter queue is two seconds. */
const SQS_TIMEOUT_MS = 5_000
/** A queue that was deleted and made anew has another URL at some emulators. */
const FIND_AGAIN_MS = 60_000

/** Opens nothing yet: connections are made on first use, and made again when they break. */
export function openPlaces(config: ConsoleConfig, opened: AsyncDisposableStack): Places {
  const pool = (databaseUrl: string) => {
    const made = connect({
      databaseUrl,
      credentials: config.credentials,
      applicationName: 'console',
      maxConnections: MAX_CONNECTIONS,
      onIdleError: () => {},
    })
    opened.defer(() => disconnect(made))
    return made
  }
  const sqs = connectSqs({
    endpoint: config.sqsEndpoint,
    region: config.awsRegion,
    requestTimeoutMs: SQS_TIMEOUT_MS,
    maxConnections: MAX_SQS_CONNECTIONS,
  })
  opened.defer(() => sqs.destroy())
  let found: { at: number; queues: Promise<Queues> } | undefined
  return {
    products: pool(config.productsUrl),
    notifications: pool(config.notificationsUrl),
    queues() {
      if (found && performance.now() - found.at < FIND_AGAIN_MS) return found.queues
      const queues = findQueues(sqs, config)
      found = { at: performance.now(), queues }
      queues.catch(() => (found = undefined))
      return queues
    },
  }
}
