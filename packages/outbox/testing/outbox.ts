import { randomUUIDv7 } from 'node:crypto'
import { connect } from '@product-events/database'
import { freshDatabase } from '@product-events/local'
import type pg from 'pg'
import {
  type NewEvent,
  type Outcome,
  outboxMigrations,
  type OutboxEvent,
  type Send,
  type Transaction,
} from '../index.ts'
import { judgeEach } from '../memory-broker.ts'

/** A pool on a fresh database with the outbox's tables. */
export async function freshOutbox(serverUrl: string): Promise<pg.Pool> {
  return connectForTest(await freshDatabase(serverUrl, outboxMigrations))
}

export function connectForTest(databaseUrl: string): pg.Pool {
  return connect({ databaseUrl, applicationName: 'test', maxConnections: 20, onIdleError: () => {} })
}

/** A pool as the transaction of one statement, which tests may want: the type of `append` refuses a pool. */
export const alone = (pool: pg.Pool): Transaction => pool

/** An event whose id the test knows. */
export type WithId = NewEvent & { id: string }

export function newEvent(key: string, payload: unknown = {}): WithId {
  return { id: randomUUIDv7(), key, type: 'test.happened', payload }
}

/**
 * A broker in memory for tests of the relay, which look at the seam itself: `createMemoryBroker` shows events as
 * consumers get them. `judge` decides where it returns something; other events are accepted.
 */
export function testBroker(judge: (event: OutboxEvent) => Outcome | 'outage' | undefined = () => undefined) {
  const accepted: OutboxEvent[] = []
  const batches: OutboxEvent[][] = []
  const send: Send = async (events) => {
    batches.push([...events])
    return judgeEach(events, (event) => {
      const outcome = judge(event) ?? { kind: 'accepted' }
      if (outcome === 'outage') throw new Error('the broker is unreachable')
      if (outcome.kind === 'accepted') accepted.push(event)
      return outcome
    })
  }
  return { send, accepted, batches }
}

/** How many events have which status. */
export async function statuses(db: pg.Pool): Promise<Record<string, number>> {
  const { rows } = await db.query<{ status: string; count: number }>(
    'SELECT status, count(*)::int AS count FROM public.events GROUP BY status',
  )
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]))
}
