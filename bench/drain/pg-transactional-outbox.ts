import { query } from '../server.ts'
import type { Drainer } from './drainer.ts'
import { samplePayload, untilNoneLeft } from './drainer.ts'

/** As large as its polling takes with profit here: messages are handled and completed one by one beside each other. */
const BATCH = 100

interface Outbox {
  DatabaseSetupExporter: { createPollingScript(config: object, skipRoles?: boolean): string }
  initializePollingMessageListener(
    config: object,
    handler: { handle(message: object): Promise<void> },
    logger: object,
    strategies?: object,
  ): [() => Promise<void>]
  getDisabledLogger?(): object
}

export async function pgTransactionalOutbox(connectionString: string): Promise<Drainer> {
  const peer = '../peers/node_modules/pg-transactional-outbox/dist/index.js'
  const { DatabaseSetupExporter, initializePollingMessageListener } = (await import(peer)) as Outbox
  const url = new URL(connectionString)
  const set = { outboxOrInbox: 'outbox', database: url.pathname.slice(1), schema: 'public', table: 'outbox' }
  const functions = { nextMessagesSchema: 'public', nextMessagesName: 'next_outbox_messages' }
  const roles = { listenerRole: url.username, handlerRole: url.username }
  await query(connectionString, DatabaseSetupExporter.createPollingScript({ ...set, ...functions, ...roles }, true))
  const connection = { connectionString, max: 20 }
  const config = {
    outboxOrInbox: 'outbox',
    dbListenerConfig: connection,
    dbHandlerConfig: connection,
    settings: {
      dbSchema: 'public',
      dbTable: 'outbox',
      nextMessagesFunctionSchema: 'public',
      nextMessagesFunctionName: 'next_outbox_messages',
      nextMessagesBatchSize: BATCH,
      nextMessagesPollingIntervalInMs: 1,
      enableMaxAttemptsProtection: false,
      enablePoisonousMessageProtection: false,
    },
  }
  const silent = () => {}
  const logger = {
    trace: silent,
    debug: silent,
    info: silent,
    warn: silent,
    error: console.error,
    fatal: console.error,
  }
  return {
    name: 'pg-transactional-outbox',
    async fill(count) {
      await query(
        connectionString,
        `INSERT INTO outbox (id, aggregate_type, aggregate_id, message_type, payload, concurrency)
         SELECT gen_random_uuid(), 'product', 'p' || n, 'product.created', $2::jsonb, 'parallel'
         FROM generate_series(1, $1::int) AS n`,
        [count, JSON.stringify(samplePayload(0))],
      )
    },
    async drain(count) {
      let handled = 0
      let done = () => {}
      const all = new Promise<void>((resolve) => (done = resolve))
      const handle = async () => {
        if (++handled === count) done()
      }
      const [stop] = initializePollingMessageListener(config, { handle }, logger)
      await all
      await untilNoneLeft(connectionString, 'SELECT count(*)::int AS left FROM outbox WHERE processed_at IS NULL')
      await stop()
    },
    close: async () => {},
  }
}
