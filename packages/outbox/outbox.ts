import { append, appendStatement, type NewEvent, type Statement, type Transaction } from './append.ts'
import { type Database, outboxTables } from './database.ts'
import { migrate, sqlOf, type SqlOptions } from './migrate.ts'
import { claimOutbox } from './owner.ts'
import { prune } from './prune.ts'
import { type ProgressOptions, redrive, resend, type Resent } from './redrive.ts'
import { createRelay, type Relay, type RelayOptions } from './relay.ts'
import { createWakeUps, type Wakes } from './wake.ts'

/** An event as `append` takes it: its payload is the one that `Events` has for its type. */
export type EventOf<Events> = {
  [Type in keyof Events & string]: Omit<NewEvent, 'type' | 'payload'> & { type: Type; payload: Events[Type] }
}[keyof Events & string]

/**
 * An open transaction: a `pg` client as it is, others by an adapter of `@product-events/outbox/adapters`. A pool, or a
 * handle that begins transactions, does not compile: it would write the event outside the caller's transaction.
 */
export type OpenTransaction = Transaction & { totalCount?: never; transaction?: never; tx?: never }

/** One outbox: the tables of one schema, in whichever database a call names. */
export interface Outbox<Events> {
  /**
   * Writes `events` as part of the caller's transaction: they exist if and only if it commits. The caller must hold a
   * lock that covers the key until the commit, such as the row that the event is about, before it appends. Rejects as
   * `append` does.
   */
  append(tx: OpenTransaction, events: readonly EventOf<Events>[]): Promise<void>
  /** The statement of `append`, for a program that makes it a part of its own (`WITH appended AS (…)`). */
  appendStatement(events: readonly EventOf<Events>[]): Statement
  /**
   * Creates or updates the tables: `target` is a `pg` client or pool, anything with its `query`, or a URL. Reads before
   * it writes. Resolves with the names of the steps that ran; rejects with the server's error, and nothing of that step
   * remains.
   */
  migrate(target: Database | string): Promise<string[]>
  /** The SQL of `migrate`, for a migration tool of your own, and grants. */
  sql(options?: SqlOptions): string
  /**
   * To be called after a commit that appended events: wakes the relays, in this process and in others. Returns at once,
   * and never throws. Relays of this process that work on the same `db` are woken in memory; others, if any may be
   * alive, by one `NOTIFY` for all calls of five milliseconds, in a transaction of its own. Makes delivery fast; polls
   * make it certain.
   */
  wake(db: Wakes): void
  /** A relay from these tables to a broker. Opens nothing; any number of relays share the work. */
  createRelay(options: Omit<RelayOptions, 'schema'>): Relay
  /** Makes sure that the tables are there, new enough, and `owner`'s. Rejects with an `OutboxRefused` otherwise. */
  claim(db: Database, owner?: string): Promise<void>
  /** Sets dead events to pending, with all their attempts before them. */
  redrive(db: Database, ids: readonly string[], options: ProgressOptions): Promise<void>
  /** Sets processed events to pending: their messages were lost at the consumers, by a restore for example. */
  resend(db: Database, which: Resent, options: ProgressOptions): Promise<void>
  /** Deletes processed events that are older than `retentionHours`, and returns how many. */
  prune(db: Database, retentionHours: number, signal?: AbortSignal): Promise<number>
}

/** Where the outbox's tables are unless another schema is named: apart from the tables of the application. */
const SCHEMA = 'outbox'

/** An outbox whose events `Events` describes: a map from type to payload. Opens nothing. */
export function createOutbox<Events = Record<string, unknown>>({ schema = SCHEMA } = {}): Outbox<Events> {
  const tables = (db: Database) => outboxTables(db, schema)
  const wakeUps = createWakeUps(schema)
  return {
    append: (tx, events) => append(tx, events, schema),
    appendStatement: (events) => appendStatement(events, schema),
    migrate: (target) => migrate(target, schema),
    sql: (options = {}) => sqlOf(schema, options),
    wake: wakeUps.wake,
    createRelay: (options) => createRelay({ ...options, schema }, wakeUps),
    claim: (db, owner) => claimOutbox(tables(db), owner),
    redrive: (db, ids, options) => redrive(tables(db), ids, options),
    resend: (db, which, options) => resend(tables(db), which, options),
    prune: (db, retentionHours, signal) => prune(tables(db), retentionHours, signal),
  }
}
