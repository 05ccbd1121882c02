import { hostname } from 'node:os'
import { createRest } from '@product-events/outages'
import { createBell } from './bell.ts'
import { type Database, outboxTables } from './database.ts'
import { createDrain, type DrainCounts } from './drain.ts'
import { createHold } from './hold.ts'
import { createLease } from './lease.ts'
import { keepPruning } from './prune.ts'
import type { Report } from './reports.ts'
import type { Send } from './send.ts'
import { QUEUE_RETRIES, type Retries } from './settle.ts'

export interface RelayOptions {
  /** A `pg` pool, or anything that runs single statements like one. Two connections are enough. */
  db: Database
  /** The schema of the outbox's tables. */
  schema?: string
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
  /** Drains, sleeps, and drains again until `signal` aborts; then finishes what is on its way and gives its lanes back. */
  run(signal: AbortSignal): Promise<void>
  /** Says that something was committed. Makes delivery fast; the poll makes it certain. */
  nudge(): void
  /** Gives the lanes back. `run` does so by itself. */
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
  const { db, send, report = () => {}, pollIntervalMs = POLL_INTERVAL_MS, retentionHours = RETENTION_HOURS } = options
  const { batchSize = BATCH_SIZE, inFlight = IN_FLIGHT, retries = QUEUE_RETRIES } = options
  const bell = createBell()
  const tables = outboxTables(db, options.schema)
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

  /** Does what can be done now and returns how long to sleep, in milliseconds. */
  async function cycle(signal: AbortSignal): Promise<number> {
    const pause = Math.max(broker.pauseMs(), database.pauseMs())
    try {
      if (pause > 0) {
        if (lease.dueInMs() === 0 && database.pauseMs() === 0) await drain.balance()
        return Math.min(pause, lease.dueInMs())
      }
      const counts = await drain.drainOnce(() => signal.aborted)
      database.worked()
      if (counts.outage === undefined) {
        if (counts.published > 0) broker.worked()
      } else broker.failed(counts.outage)
    } catch (error) {
      database.failed((error as Error).message)
    }
    return Math.min(Math.max(broker.pauseMs(), database.pauseMs()) || pollIntervalMs, lease.dueInMs() || pollIntervalMs)
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
      const pruning = keepPruning({ tables, retentionHours, report, signal, mayPrune: () => lease.maySend(0) })
      while (!signal.aborted) {
        const sleepMs = await cycle(signal)
        if (!signal.aborted) await bell.wait(sleepMs)
      }
      await settleTheRest()
      // A database that failed ended that early; what has left must still arrive before somebody else may send.
      await drain.sendsEnded()
      await settleTheRest()
      await pruning
      if (!database.isAway()) await lease.release().catch(() => {})
    },
  }

  /**
   * What is on its way comes to its end. A database that is away makes duplicates of it later, nothing worse: it is not
   * asked again, since a frozen one takes five seconds to fail, and a process has ten to stop. The lease then runs out.
   */
  async function settleTheRest(): Promise<void> {
    if (database.isAway()) return
    await drain.drainOnce(() => true).catch((error: Error) => database.failed(error.message))
  }
}
