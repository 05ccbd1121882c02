import { hostname } from 'node:os'
import { createRest, databaseOutage, type Rest } from '@product-events/outages'
import { type Bell, createBell } from './bell.ts'
import { type Database, outboxTables } from './database.ts'
import { createDrain, type Drain, type DrainCounts } from './drain.ts'
import { createHold } from './hold.ts'
import { createLease, type Lease } from './lease.ts'
import { claimOutbox, OutboxRefused } from './owner.ts'
import { keepPruning } from './prune.ts'
import { harmless, type Report } from './reports.ts'
import type { Send } from './send.ts'
import { QUEUE_RETRIES, type Retries } from './settle.ts'

export interface RelayOptions {
  /** A `pg` pool, or anything that runs single statements like one. Two connections are enough. */
  db: Database
  /** The schema of the outbox's tables: `public` unless another is named. */
  schema?: string
  /** The application, equal in all its processes. It is remembered at the first start: other owners are refused. */
  owner?: string
  /** How events reach the broker: `sendToSqs(…)`, or another function of this type. */
  send: Send
  /** Told of everything worth a log line or a metric. */
  report?: Report
  /** The longest an event waits if no nudge tells of it, in milliseconds. */
  pollIntervalMs?: number
  /** How long processed events are kept, in hours. */
  retentionHours?: number
  /** Events handed to one `send` at most. */
  batchSize?: number
  /** Sends under way at once. */
  inFlight?: number
  /** How long a refused event is tried for. */
  retries?: Retries
}

export interface Relay {
  /** One bounded cycle: sends what is due now and tells what became of it. Rejects when the database can't be reached. */
  drainOnce(): Promise<DrainCounts>
  /**
   * Drains, sleeps, and drains again until `signal` aborts; then finishes the sends in flight and gives up its lanes.
   * Rejects with an `OutboxRefused` when the tables are missing or belong to another owner; nothing else ends it.
   */
  run(signal: AbortSignal): Promise<void>
  /** Says that something was committed. Makes delivery fast; the poll makes it certain. */
  nudge(): void
  /** Gives up the lanes. `run` does so too. */
  release(): Promise<void>
}

/** The usual poll of the design: what a lost nudge costs at most. */
const POLL_INTERVAL_MS = 2_000
/** A weekend, and some. */
export const RETENTION_HOURS = 72
/** SendMessageBatch takes ten entries. */
const BATCH_SIZE = 10
/** Where more calls at once stop paying: the SDK is the bound by then. */
const IN_FLIGHT = 8

/** A relay over the tables of `migrations/`. Opens nothing by itself. Any number of them share the work. */
export function createRelay(options: RelayOptions): Relay {
  const { db, send, pollIntervalMs = POLL_INTERVAL_MS, retentionHours = RETENTION_HOURS } = options
  const { batchSize = BATCH_SIZE, inFlight = IN_FLIGHT, retries = QUEUE_RETRIES } = options
  const report = harmless(options.report ?? (() => {}))
  const tables = outboxTables(db, options.schema)
  const bell = createBell()
  const lease = createLease(tables, `${hostname()}:${process.pid}`)
  const drain = createDrain({ tables, send, lease, hold: createHold(), bell, report, batchSize, inFlight, retries })
  const broker = createRest({
    lost: (reason) => report({ kind: 'broker-away', reason }),
    back: (awayMs) => report({ kind: 'broker-back', awayMs }),
  })
  const database = createRest({
    lost: (reason) => report({ kind: 'database-away', reason }),
    back: (awayMs) => report({ kind: 'database-back', awayMs }),
  })
  const cycle = createCycle({ drain, send, lease, broker, database, pollIntervalMs })

  /** Sends in flight finish. If the database is unreachable it is not asked again: a frozen one takes five seconds to fail,
   * and a process has ten to stop. The events are published again later, and the lease runs out. */
  async function settleTheRest(): Promise<void> {
    if (database.isAway()) return
    await drain.drainOnce(() => true).catch((error: unknown) => database.failed(reasonOf(error)))
  }

  return {
    drainOnce: () => drain.drainOnce(() => false),
    nudge: drain.nudge,
    async release() {
      await drain.sendsEnded()
      await lease.release()
    },

    async run(signal) {
      signal.addEventListener('abort', bell.ring, { once: true })
      await untilClaimed(() => claimOutbox(tables, options.owner), { database, bell, signal })
      const mayPrune = () => lease.maySend(0)
      const pruning = keepPruning({
        tables,
        retentionHours,
        report,
        signal,
        mayPrune,
        isDatabaseAway: database.isAway,
      })
      while (!signal.aborted) {
        const sleepMs = await cycle(signal)
        if (!signal.aborted) await bell.wait(sleepMs)
      }
      await settleTheRest()
      // A database that failed ended that early; what has left must still arrive before another relay may send.
      await drain.sendsEnded()
      await settleTheRest()
      await pruning
      if (!database.isAway()) await lease.release().catch(() => {})
    },
  }
}

/** Waits for the database, then makes sure that the outbox may be used. */
async function untilClaimed(
  claim: () => Promise<void>,
  { database, bell, signal }: { database: Rest; bell: Bell; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    try {
      return await claim()
    } catch (error) {
      if (error instanceof OutboxRefused) throw error
      database.failed(reasonOf(error))
    }
    await bell.wait(database.pauseMs())
  }
}

interface CycleOptions {
  drain: Drain
  send: Send
  lease: Lease
  broker: Rest
  database: Rest
  pollIntervalMs: number
}

/** One turn of a relay: does what can be done now and returns how long to sleep, in milliseconds. Never rejects. */
function createCycle({ drain, send, lease, broker, database, pollIntervalMs }: CycleOptions) {
  async function work(signal: AbortSignal): Promise<void> {
    // Only a whole cycle that also wrote shows that the database is back: read-only servers and missing grants exist.
    if (database.isAway()) lease.dueNow()
    if (broker.pauseMs() > 0 && !database.isAway()) await drain.balance()
    else {
      const { outage, published } = await drain.drainOnce(() => signal.aborted)
      if (outage !== undefined) broker.failed(outage)
      else if (published > 0) broker.worked()
      else if (broker.isAway() && !signal.aborted) await askBroker()
    }
    database.worked()
  }

  /** Nothing is left to send after an outage, so no send will show that the broker is back. */
  async function askBroker(): Promise<void> {
    const { outage } = await send([]).catch((error: unknown) => ({ outage: reasonOf(error) }))
    if (outage === undefined) broker.worked()
    else broker.failed(outage)
  }

  return async (signal: AbortSignal): Promise<number> => {
    const isResting = database.pauseMs() > 0 || (broker.pauseMs() > 0 && lease.dueInMs() > 0)
    if (!isResting) await work(signal).catch((error: unknown) => database.failed(reasonOf(error)))
    if (database.pauseMs() > 0) return database.pauseMs()
    return Math.min(broker.pauseMs() || pollIntervalMs, lease.dueInMs() || pollIntervalMs)
  }
}

/** A connection that was tried at several addresses fails with an error without a message of its own. */
function reasonOf(error: unknown): string {
  const { message, code, name } = error as Error & { code?: string }
  return databaseOutage(error) ?? (message || code || name || String(error))
}
