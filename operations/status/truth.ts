import type { Queues } from '@product-events/inbox/command'
import { databaseOutage } from '@product-events/outages'
import { MAX_RECEIVE_COUNT } from '@product-events/queue'
import { type Backlog, readBacklog, readLanes } from '../console/watch/products.ts'
import { disabledEndpoints, type FailingMessage, failingMessages } from '../console/watch/notifications.ts'
import { type Database, withDates } from '../database.ts'
import type { Depth } from '../find/found.ts'
import { mostReceives, readDepths } from '../queues.ts'

/** What a dependency itself says, or that it does not. */
export type Answer<Value> =
  | { kind: 'answered'; value: Value }
  | { kind: 'silent'; reason: string }
  /** Nothing says where it is. */
  | { kind: 'not-asked' }

/** The event, or delivery, that has failed or been dead for longest. */
export interface Stuck {
  id: string
  key: string
  created_at: Date
  attempts: number
  last_error: string | null
  next_attempt_at: Date | null
}

export interface OutboxTruth {
  backlog: Backlog
  failed: Stuck | null
  dead: Stuck | null
  lanes_without_relay: number
}

/** The second source of a status: PostgreSQL and SQS answer although the process that is ill does not. */
export interface Truth {
  products: Answer<OutboxTruth>
  notifications: Answer<{
    deliveries: OutboxTruth
    failing: FailingMessage[]
    disabled: { endpoint: string; reason: string }[]
  }>
  queue: Answer<{ queue: Depth; dead_letters: Depth; max_receives: number }>
}

export const NOT_ASKED: Truth = {
  products: { kind: 'not-asked' },
  notifications: { kind: 'not-asked' },
  queue: { kind: 'not-asked' },
}

export interface TruthSources {
  products: Database
  notifications: Database
  queues: () => Promise<Queues>
}

/** A healthy dependency answers within milliseconds, on a very busy machine within seconds. A scrape waits as long. */
const SILENT_AFTER_MS = 5_000

/** Asks all three at once. Resolves within five seconds, whatever answers; never rejects. */
export async function readTruth({ products, notifications, queues }: TruthSources): Promise<Truth> {
  // Before the first start a database has no tables yet, and its process says so.
  const [ofProducts, ofNotifications, ofQueue] = await Promise.all([
    answerOf(readOutbox(products)),
    answerOf(
      Promise.all([
        readOutbox(notifications),
        failingMessages(notifications as never, MAX_RECEIVE_COUNT),
        disabledEndpoints(notifications as never),
      ]).then(([deliveries, failing, disabled]) => ({ deliveries, failing, disabled })),
    ),
    answerOf(queues().then(async (found) => ({ ...(await readDepths(found)), max_receives: mostReceives(found) }))),
  ])
  return { products: ofProducts, notifications: ofNotifications, queue: ofQueue }
}

async function readOutbox(db: Database): Promise<OutboxTruth> {
  const [backlog, failed, dead, lanes] = await Promise.all([
    readBacklog(db as never),
    oldest(db, 'failed'),
    oldest(db, 'dead'),
    readLanes(db as never),
  ])
  const alive = new Set(lanes.relays.filter(({ lease_seconds: left }) => left > 0).map(({ id }) => id))
  const free = lanes.owners.filter((owner) => owner === null || !alive.has(owner)).length
  return { backlog, failed, dead, lanes_without_relay: free }
}

async function oldest(db: Database, status: 'failed' | 'dead'): Promise<Stuck | null> {
  const { rows } = await db.query<Stuck>(
    `SELECT id, key, to_json(created_at) AS created_at, attempts, left(last_error, 300) AS last_error,
            to_json(next_attempt_at) AS next_attempt_at
     FROM (
       (SELECT * FROM public.events AS failed
        WHERE $1 = 'failed' AND failed.status = 'failed' ORDER BY failed.key, failed.id LIMIT 1)
       UNION ALL
       (SELECT * FROM public.events AS dead WHERE $1 = 'dead' AND dead.status = 'dead' ORDER BY dead.id LIMIT 1)
     ) AS stuck`,
    [status],
  )
  return withDates(rows, 'created_at', 'next_attempt_at')[0] ?? null
}

async function answerOf<Value>(asked: Promise<Value>): Promise<Answer<Value>> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Answer<Value>>((resolve) => {
    const reason = `no answer within ${SILENT_AFTER_MS / 1000} s`
    timer = setTimeout(() => resolve({ kind: 'silent', reason }), SILENT_AFTER_MS)
  })
  const answered = asked.then(
    (value): Answer<Value> => ({ kind: 'answered', value }),
    (error: Error): Answer<Value> => ({
      kind: 'silent',
      reason: databaseOutage(error) ?? (error.message || error.name),
    }),
  )
  const first = await Promise.race([answered, late])
  clearTimeout(timer)
  return first
}
