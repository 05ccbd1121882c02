import type { Message } from '@aws-sdk/client-sqs'
import { databaseOutage } from '@product-events/outages'
import type { Queues } from '@product-events/inbox/command'
import { MAX_RECEIVE_COUNT } from '@product-events/queue'
import type { Database } from '../database.ts'
import { LOOK_AT, lookAtDeadLetters, readDepths } from '../queues.ts'
import type { Looked, QueueAnswer } from './found.ts'
import type { Cost } from './outbox-rows.ts'

export interface Sources {
  /** The database of product-service. */
  products: Database
  /** The database of notification-service. */
  notifications: Database
  /** Finds both queues; asked only if the answer depends on SQS. */
  queues: () => Promise<Queues>
  signal?: AbortSignal
}

/** What one search knows, asks, and has asked already. */
export interface Look {
  cost: Cost
  missing: Looked['missing']
  /** The answer of a source; undefined, and noted as missing, if it gives none. */
  ask<Answer>(
    source: 'products' | 'notifications',
    work: (db: Database) => Promise<Answer>,
  ): Promise<Answer | undefined>
  depth(): Promise<QueueAnswer>
  maxReceives(): Promise<number>
  deadLetters(): Promise<Message[]>
}

/**
 * How long a look at the dead-letter queue is believed, unless the number of its messages changes: each look counts a
 * receive for every message.
 */
const BELIEVE_MS = 60_000
const looks = new WeakMap<object, { at: number; count: number; messages: Promise<Message[]> }>()

export function startLook({ products, notifications, queues, signal }: Sources): Look {
  const cost = { probes: 0, rows: 0 }
  const missing: Looked['missing'] = []
  const databases = { products, notifications }
  const note = (source: Looked['missing'][number]['source'], error: unknown) => {
    const reason = databaseOutage(error) ?? ((error as Error).message || (error as Error).name)
    if (!missing.some((one) => one.source === source)) missing.push({ source, reason })
    return reason
  }
  let found: Promise<Queues> | undefined
  const findQueues = () => (found ??= queues())
  let depth: Promise<QueueAnswer> | undefined
  return {
    cost,
    missing,
    async ask(source, work) {
      try {
        return await work(databases[source])
      } catch (error) {
        note(source, error)
        return undefined
      }
    },
    depth: () =>
      (depth ??= findQueues()
        .then(async (found): Promise<QueueAnswer> => ({ kind: 'depth', ...(await readDepths(found)) }))
        .catch((error: unknown): QueueAnswer => ({ kind: 'no-answer', reason: note('sqs', error) }))),
    maxReceives: () =>
      findQueues().then(
        ({ maxReceives = MAX_RECEIVE_COUNT }) => maxReceives,
        () => MAX_RECEIVE_COUNT,
      ),
    async deadLetters() {
      const answer = await this.depth()
      if (answer.kind !== 'depth') return []
      // A look by somebody else hides the messages for a moment; they are there all the same.
      const { visible, in_flight } = answer.dead_letters
      const count = visible + in_flight
      if (count === 0) return []
      try {
        const there = await findQueues()
        const before = looks.get(there.sqs)
        if (before?.count === count && performance.now() - before.at < BELIEVE_MS) return await before.messages
        const messages = lookAtDeadLetters(there, signal)
        looks.set(there.sqs, { at: performance.now(), count, messages })
        const forget = () => looks.delete(there.sqs)
        messages.then((seen) => seen.length < Math.min(visible, LOOK_AT) && forget(), forget)
        return await messages
      } catch (error) {
        note('sqs', error)
        return []
      }
    },
  }
}
