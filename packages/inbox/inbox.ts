import { createQueueConsumer, type Consumer, type QueueConsumerOptions } from './consumer.ts'
import { quotedName } from '@product-events/database/names'
import { type OtherDatabase, type PgClient, type PgPool, type Sql, transactionsOf } from './database.ts'
import type { EventOf, InboxEvent } from './event.ts'
import { forgetFailures, noteFailures } from './failed-messages.ts'
import type { Store } from './group-commit.ts'
import { type Handlers, handlerStore, type Samples } from './handlers.ts'
import { createLambdaHandler, type LambdaHandler } from './lambda.ts'
import { migrate, sqlOf } from './migrations.ts'
import type { ProcessingOptions, RecordKeeping } from './processing.ts'
import { prune } from './prune.ts'

export interface InboxOptions {
  /** The schema of the inbox's tables in the consumer's own database. Default: `inbox`. */
  schema?: string
  /** Whose inbox it is. Several consumers may share the tables: each handles every event once. */
  consumer: string
}

export interface HandlingOptions<Events, Tx> extends ProcessingOptions<EventOf<Events>> {
  /** The consumer's database: a `pg` pool, or the transactions of another library. */
  db: PgPool<Tx & PgClient> | OtherDatabase<Tx>
  /**
   * By type of event. An event of another type is reported as `unhandled`, and its message is deleted.
   * A handler runs in the transaction that records the event. Effects elsewhere may happen more than once.
   */
  handlers: Handlers<Events, Tx>
  /**
   * A harmless event of each type. When a handler fails and no other event of the type was handled since, the sample is
   * handled in a transaction that is rolled back: if it fails too, the handler is broken, and events are held.
   * Without a sample a failing event is held until another event of its type succeeds.
   */
  samples?: Samples<Events>
  /** Skips an event unless its sequence is above that of the last handled event of its key. Default: false. */
  ignoreStale?: boolean
  /** How long a handler may take, in milliseconds. Default: 30,000. */
  handlerTimeoutMs?: number
}

/** An own store keeps its own record of events. `db` is where reasons are noted. */
export interface StoreOptions<Event extends InboxEvent, Tx> extends ProcessingOptions<Event> {
  db: PgPool<Tx & PgClient> | OtherDatabase<Tx>
  store: Store<Event>
}

type ForQueue<Options> = Options & Pick<QueueConsumerOptions<never>, 'sqs' | 'queueUrl' | 'receivers'>

export interface Inbox<Events> {
  /** A consumer of an SQS queue. Opens nothing until it runs. */
  createConsumer<Tx = PgClient>(options: ForQueue<HandlingOptions<Events, Tx>>): Consumer
  /** The same over a store of your own, which needs no second record of events it stores anyway. */
  createConsumer<Event extends InboxEvent, Tx = PgClient>(options: ForQueue<StoreOptions<Event, Tx>>): Consumer
  /** The same handlers for an SQS trigger of AWS Lambda with `ReportBatchItemFailures`. */
  lambdaHandler<Tx = PgClient>(options: HandlingOptions<Events, Tx>): LambdaHandler
  /**
   * Creates or updates the tables: `target` is a `pg` client or pool, anything with its `query`, or a URL. Reads before
   * it writes. Resolves with the names of the steps that ran; rejects with the server's error, and nothing of that step
   * remains.
   */
  migrate(target: Sql | string): Promise<string[]>
  /** The SQL of `migrate`, for a migration tool of your own, and the rights of a role that only consumes. */
  sql(role?: string): string
}

const HANDLER_TIMEOUT_MS = 30_000

/**
 * An inbox: the effect of an event and the memory of it commit together, so an event has its effect once, however often
 * its message arrives. Opens nothing. Throws a `TypeError` for a name that PostgreSQL can't hold.
 */
export function createInbox<Events = Record<string, unknown>>({
  schema = 'inbox',
  consumer,
}: InboxOptions): Inbox<Events> {
  const target = { schema: quotedName(schema), consumer }
  if (typeof consumer !== 'string' || !/^[^\0]{1,255}$/.test(consumer))
    throw new TypeError("a consumer's name has 1 to 255 characters")

  function recordsIn<Tx>(db: PgPool<Tx & PgClient> | OtherDatabase<Tx>, prunes: boolean): RecordKeeping {
    const { run } = transactionsOf(db)
    return {
      note: (failures) => run((_tx, sql) => noteFailures(sql, target, failures)),
      forget: (ids) => run((_tx, sql) => forgetFailures(sql, target, ids)),
      prune: (signal) => (prunes ? run((_tx, sql) => prune(sql, target, signal)) : Promise.resolve(0)),
    }
  }

  function storeOf<Tx>(options: HandlingOptions<Events, Tx>): Store<EventOf<Events>> {
    const { db, handlers, samples, ignoreStale, handlerTimeoutMs = HANDLER_TIMEOUT_MS } = options
    return handlerStore({ transactions: transactionsOf(db), target, handlers, samples, ignoreStale, handlerTimeoutMs })
  }

  return {
    createConsumer<Event extends InboxEvent, Tx>(
      options: ForQueue<HandlingOptions<Events, Tx>> | ForQueue<StoreOptions<Event, Tx>>,
    ) {
      if ('store' in options) return createQueueConsumer(options, options.store, recordsIn(options.db, false))
      return createQueueConsumer(options, storeOf(options), recordsIn(options.db, true))
    },
    lambdaHandler: (options) => createLambdaHandler(options, storeOf(options), recordsIn(options.db, true)),
    migrate: (where) => migrate(where, schema),
    sql: (role) => sqlOf(schema, role),
  }
}
