import { hostname } from 'node:os'
import { createRest, databaseOutage, type Rest } from '@product-events/outages'
import { createProbe, keepListening, type Listening, notify } from '@product-events/wake-ups'
import { type Bell, createBell } from './bell.ts'
import { type Database, outboxTables } from './database.ts'
import { createDrain, type Drain, type DrainCounts } from './drain.ts'
import { createHold } from './hold.ts'
import { createLease, type Lease } from './lease.ts'
import { channelOf, type Listen } from './listen.ts'
import { claimOutbox, OutboxRefused } from './owner.ts'
import { createPoll, type Poll } from './poll.ts'
import { keepPruning } from './prune.ts'
import { harmless, type Report } from './reports.ts'
import type { Send } from './send.ts'
import { QUEUE_RETRIES, type Retries } from './settle.ts'
import { createWakeUps, type WakeUps } from './wake.ts'

export interface RelayOptions {
  /** A `pg` pool, or anything that runs single statements like one. Two connections are enough. */
  db: Database
  /** The schema of the outbox's tables: `public` unless another is named. */
  schema?: string
  /** The application, equal in all its processes. It is remembered at the first start: other owners are refused. */
  owner?: string
  /** How events reach the broker: `sendToSqs(…)`, or another function of this type. */
  send: Send
  /**
   * How the relay listens for commits of other processes: `pgListen(config)`. Without it, it polls for their events.
   */
  listen?: Listen
  /** Told of everything worth a log line or a metric. */
  report?: Report
  /** The longest an event waits if no wake-up arrives, in milliseconds. While such events come, polls are frequent. */
  pollIntervalMs?: number
  /** How long processed events are kept, in hours. */
  retentionHours?: number
  /** Events handed to one `send` at most. */
  batchSize?: number
  /**
   * Sends under way at once. Left out, there are more where the broker is far away: as many as its round trip asks for.
   */
  inFlight?: number
  /** How long a refused event is tried for. */
  retries?: Retries
}

export interface Relay {
  /**
   * Runs one bounded cycle: sends the due events and returns counts. Rejects when the database can't be reached.
   */
  drainOnce(): Promise<DrainCounts>
  /**
   * Drains, sleeps, and drains again until `signal` aborts; then finishes the sends in flight and gives up its lanes.
   * Rejects with an `OutboxRefused` when the tables are missing or belong to another owner; no other error ends it.
   */
  run(signal: AbortSignal): Promise<void>
  /** Wakes this relay, and no other: `outbox.wake(db)` wakes all. Makes delivery fast; the poll makes it certain. */
  nudge(): void
  /** Gives up the lanes. `run` does so too. */
  release(): Promise<void>
}

/** The longest delay that a lost wake-up causes. */
const POLL_INTERVAL_MS = 2_000
/** A weekend, and some. */
export const RETENTION_HOURS = 72
/** SendMessageBatch takes ten entries. */
const BATCH_SIZE = 10
/** The payload by which a relay tells others that lanes are free: without it they would look within two seconds. */
const LANES_FREED = 'lanes'
/** Where more calls at once stop paying: the SDK is the bound by then. */
const IN_FLIGHT = 8
/** Enough for ten thousand events a second at a round trip of 100 ms; each takes a socket. */
export const MOST_IN_FLIGHT = 128

/**
 * A relay over the tables of `migrations/`. Opens nothing before it runs. Any number of them share the work. `wakeUps`
 * tells it of commits of its own process.
 */
export function createRelay(options: RelayOptions, wakeUps: WakeUps = createWakeUps(options.schema)): Relay {
  const { db, send, pollIntervalMs = POLL_INTERVAL_MS, retentionHours = RETENTION_HOURS } = options
  const { batchSize = BATCH_SIZE, inFlight = IN_FLIGHT, retries = QUEUE_RETRIES } = options
  const report = harmless(options.report ?? (() => {}))
  const tables = outboxTables(db, options.schema)
  const limits = { batchSize, inFlight, mostInFlight: options.inFlight ?? MOST_IN_FLIGHT, retries }
  const bell = createBell()
  const onFreed = () => notify(db, channelOf(options.schema), LANES_FREED).catch(() => {})
  const lease = createLease(tables, `${hostname()}:${process.pid}`, { onFreed })
  const drain = createDrain({ tables, send, lease, hold: createHold(), bell, report, ...limits })
  const { broker, database } = createRests(report)
  let listening: Listening | undefined
  // Without a listener nothing is known: then what polls find decides alone.
  const poll = createPoll({ idleMs: pollIntervalMs, arrive: () => listening?.works() ?? true })
  const cycle = createCycle({ drain, send, lease, broker, database, poll })

  /** Sends in flight finish. If the database is unreachable it is not asked again: a frozen one takes five seconds to
   * fail, and a process has ten to stop. The events are published again later, and the lease runs out. */
  async function settleTheRest(): Promise<void> {
    if (database.isAway()) return
    await drain.drainOnce({ stopping: () => true }).catch((error: unknown) => database.failed(reasonOf(error)))
  }

  return {
    drainOnce: () => drain.drainOnce({ stopping: () => false }),
    nudge: drain.nudge,
    async release() {
      await drain.sendsEnded()
      await lease.release()
    },

    async run(signal) {
      signal.addEventListener('abort', bell.ring, { once: true })
      await untilClaimed(() => claimOutbox(tables, options.owner), { database, bell, signal })
      const { own, leave } = wakeUps.join(db, { nudge: drain.nudge, readsAll: lease.readsAll })
      if (options.listen) {
        const onNotification = (payload: string) => {
          if (payload === LANES_FREED) lease.dueNow()
          if (payload !== own) drain.nudge()
        }
        listening = listenOn({ ...options, listen: options.listen, database, report, onNotification, signal })
      }
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
      // From now on others have to be woken for the commits of this process.
      leave()
      await settleTheRest()
      // A database that failed ended that early; sends in flight must still arrive before another relay may send.
      await drain.sendsEnded()
      await settleTheRest()
      const released = database.isAway() ? undefined : lease.release().catch(() => {})
      await Promise.all([pruning, released])
    },
  }
}

/** A part that rests after failures, and reports once that it is unreachable and once that it is back. */
function createRests(report: Report): Record<'broker' | 'database', Rest> {
  return {
    broker: createRest({
      lost: (reason) => report({ kind: 'broker-away', reason }),
      back: (awayMs) => report({ kind: 'broker-back', awayMs }),
    }),
    database: createRest({
      lost: (reason) => report({ kind: 'database-away', reason }),
      back: (awayMs) => report({ kind: 'database-back', awayMs }),
    }),
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

interface ListenOnOptions extends Pick<RelayOptions, 'db' | 'schema'> {
  listen: Listen
  database: Rest
  report: Report
  onNotification: (payload: string) => void
  signal: AbortSignal
}

/** Hears of the commits of other processes until `signal` aborts. */
function listenOn({ db, schema, database, report, ...options }: ListenOnOptions): Listening {
  const channel = channelOf(schema)
  return keepListening({
    ...options,
    channel,
    probe: createProbe(db, channel),
    isDatabaseAway: database.isAway,
    onLost: (reason) => report({ kind: 'wake-ups-lost', reason }),
    onBack: (awayMs) => report({ kind: 'wake-ups-back', awayMs }),
  })
}

interface CycleOptions {
  drain: Drain
  send: Send
  lease: Lease
  broker: Rest
  database: Rest
  poll: Poll
}

/** One turn of a relay: does all due work and returns how long to sleep, in milliseconds. Never rejects. */
function createCycle({ drain, send, lease, broker, database, poll }: CycleOptions) {
  async function work(signal: AbortSignal): Promise<void> {
    // Only a whole cycle that also wrote shows that the database is back: read-only servers and missing grants exist.
    const isAway = database.isAway()
    if (isAway) lease.dueNow()
    if (broker.pauseMs() > 0 && !isAway) await drain.balance()
    else {
      const cycle = { stopping: () => signal.aborted, onlyNew: poll.isBusy(), afterOutage: isAway, poll }
      const { outage, published } = await drain.drainOnce(cycle)
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
    return Math.min(broker.pauseMs() || poll.dueInMs(), lease.dueInMs())
  }
}

/** A connection that was tried at several addresses fails with an error without a message of its own. */
function reasonOf(error: unknown): string {
  const { message, code, name } = error as Error & { code?: string }
  return databaseOutage(error) ?? (message || code || name || String(error))
}
