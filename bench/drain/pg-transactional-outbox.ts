import { setTimeout as sleep } from 'node:timers/promises'
import { query } from '../server.ts'
import { type Drainer, samplePayload, untilNoneLeft } from './drainer.ts'

/** Of both its listeners the README says what they are good for, not which is faster: so both are measured. */
export type Listener = 'polling' | 'replication'

/** As large as its polling takes with profit here: messages are handled and completed one by one beside each other. */
const BATCH = 100
/** Connections on which messages are handled beside each other. */
const HANDLERS = 20
/** A message whose row was locked by another poll comes again after this; the usual 5 s would be most of a round. */
const LOCK_MS = 1_000
/** All of a round wait for a connection from its beginning; the usual 15 s would give up those at the end. */
const TIMEOUT_MS = 600_000

type Start = (
  config: object,
  handler: { handle(message: object): Promise<void> },
  logger: object,
  strategies?: object,
) => [() => Promise<void>]

interface Outbox {
  DatabaseSetupExporter: { createPollingScript: CreateScript; createReplicationScript: CreateScript }
  initializePollingMessageListener: Start
  initializeReplicationMessageListener: Start
  createReplicationFullConcurrencyController(): object
}
type CreateScript = (config: object, skipRoles: boolean) => string

const silent = () => {}
const logger = { trace: silent, debug: silent, info: silent, warn: silent, error: console.error, fatal: console.error }
const next = { nextMessagesSchema: 'public', nextMessagesName: 'next_outbox_messages' }
const replication = { publication: 'outbox_publication', replicationSlot: 'outbox_slot' }
const settings = {
  dbSchema: 'public',
  dbTable: 'outbox',
  messageProcessingTimeoutInMs: TIMEOUT_MS,
  messageCleanupIntervalInMs: 0,
  enableMaxAttemptsProtection: false,
  enablePoisonousMessageProtection: false,
}
const pollingSettings = {
  nextMessagesFunctionSchema: next.nextMessagesSchema,
  nextMessagesFunctionName: next.nextMessagesName,
  nextMessagesBatchSize: BATCH,
  nextMessagesPollingIntervalInMs: 1,
  nextMessagesLockInMs: LOCK_MS,
}
const replicationSettings = {
  dbPublication: replication.publication,
  dbReplicationSlot: replication.replicationSlot,
}

/**
 * pg-transactional-outbox, started for each round on what waits. Messages are marked `parallel`, the polling listener
 * takes whole batches from the beginning, and the replication listener has the controller that limits nothing.
 */
export async function pgTransactionalOutbox(listener: Listener, connectionString: string): Promise<Drainer> {
  const peer = '../peers/node_modules/pg-transactional-outbox/dist/index.js'
  const outbox = (await import(peer)) as Outbox
  const { username, pathname } = new URL(connectionString)
  const names = { outboxOrInbox: 'outbox', database: pathname.slice(1), schema: 'public', table: 'outbox' }
  const setup = { ...names, listenerRole: username, handlerRole: username, ...next, ...replication }
  const { createPollingScript, createReplicationScript } = outbox.DatabaseSetupExporter
  await runScript(
    connectionString,
    (listener === 'polling' ? createPollingScript : createReplicationScript)(setup, true),
  )
  const config = {
    outboxOrInbox: 'outbox',
    dbListenerConfig: { connectionString },
    dbHandlerConfig: { connectionString, max: HANDLERS },
    settings: { ...settings, ...(listener === 'polling' ? pollingSettings : replicationSettings) },
  }
  const start = (handle: () => Promise<void>) =>
    listener === 'polling'
      ? outbox.initializePollingMessageListener(config, { handle }, logger, { batchSizeStrategy: async () => BATCH })
      : outbox.initializeReplicationMessageListener(config, { handle }, logger, {
          concurrencyStrategy: outbox.createReplicationFullConcurrencyController(),
        })
  let handled = 0
  const count = async () => void handled++
  // A listener to the WAL that waits costs nothing, and one that starts again is told some of it again. One that polls
  // would poll all through the turns of the others.
  const [stopListening] = listener === 'replication' ? start(count) : [async () => {}]
  return {
    name: `pg-transactional-outbox, ${listener}`,
    async fill(events) {
      handled = 0
      await query(
        connectionString,
        `INSERT INTO outbox (id, aggregate_type, aggregate_id, message_type, payload, concurrency)
         SELECT gen_random_uuid(), 'product', 'p' || n, 'product.created', $2::jsonb, 'parallel'
         FROM generate_series(1, $1::int) AS n`,
        [events, JSON.stringify(samplePayload(0))],
      )
    },
    async drain(events) {
      const [stop] = listener === 'polling' ? start(count) : [async () => {}]
      while (handled < events) await sleep(5)
      await untilNoneLeft(connectionString, 'SELECT count(*)::int AS left FROM outbox WHERE processed_at IS NULL')
      await stop()
    },
    async close() {
      await stopListening()
      // Its pools end later than they say, and it takes the end of the server before that for an error.
      await untilNoneLeft(
        connectionString,
        `SELECT count(*)::int AS left FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type <> 'autovacuum worker'`,
      )
    },
  }
}

/** A replication slot needs a transaction of its own, and a script is one transaction. */
async function runScript(connectionString: string, script: string): Promise<void> {
  const [tables = '', slot] = script.split(/^(?=.*pg_drop_replication_slot)/m)
  await query(connectionString, tables)
  if (slot === undefined) return
  const [drop = '', create = ''] = slot.split(/^(?=.*pg_create_logical)/m)
  await query(connectionString, drop)
  await query(connectionString, create)
}
