import { plural } from '@product-events/terminal'
import { setTimeout as sleep } from 'node:timers/promises'
import { overtakenBy, redrive, outboxTables } from '@product-events/outbox'
import type { Logger } from '@product-events/telemetry'
import type { DryRun } from '../answers.ts'
import { giveBack, deleteDeadLetter, redriveDeadLetter, takeDeadLetters } from '../needs/dead-letters.ts'
import { groupKey, type Item } from '../needs/groups.ts'
import type { NeedsReader, Places } from '../needs/needs.ts'
import { type ActedOn, recordAction, recordEnd, recordProgress } from './record.ts'

/** What an operator asks for: all items of one group. */
export interface Order {
  what: 'redrive' | 'delete'
  source: ActedOn
  key: string
  /** Items a second at most. */
  rate: number
  why: string
  who: string
}

/** Sentences of a dry run about single events; further ones are counted. */
const MOST_NOTES = 5
/** Longer than any redrive of a group at the slowest rate that the page offers. */
const HIDDEN_SECONDS = 3_600

export async function matching(needs: NeedsReader, { source, key }: Pick<Order, 'source' | 'key'>): Promise<Item[]> {
  return (await needs.items(source)).filter(({ reason }) => groupKey(reason) === key)
}

/** What a redrive would do: how many leave in the order of their product, and how many after younger events. */
export async function dryRun({ products, notifications }: Places, source: ActedOn, items: Item[]): Promise<DryRun> {
  if (source === 'messages')
    return {
      count: items.length,
      in_order: 0,
      notes: [
        'A standard queue may reorder messages. Consumers know the order by sequence, and drop duplicates by id.',
      ],
    }
  const overtaken = await overtakenBy(
    outboxTables(source === 'events' ? products : notifications),
    items.map(({ id }) => id),
  )
  const late = items.filter(({ id }) => (overtaken.get(id) ?? 0) > 0)
  const notes = late
    .slice(0, MOST_NOTES)
    .map(
      ({ id, about }) => `${id} (${about}) leaves after ${plural(overtaken.get(id) ?? 0, 'younger event')} of its key.`,
    )
  if (late.length > MOST_NOTES) notes.push(`${late.length - MOST_NOTES} more leave after younger events of their keys.`)
  if (late.length > 0) notes.push('Consumers know the order by sequence.')
  return { count: items.length, in_order: items.length - late.length, notes }
}

/** Carries out orders one after the other, in the background, until `stop`. */
export interface Runner {
  /** Records the order and starts it. Resolves with the id of the action. */
  start(order: Order, items: Item[]): Promise<string>
  stop(): Promise<void>
}

export function createRunner(places: Places, needs: NeedsReader, logger: Logger): Runner {
  const stopping = new AbortController()
  let last: Promise<void> = Promise.resolve()

  async function run(id: string, order: Order, items: Item[]): Promise<void> {
    let done = 0
    const onDone = async (count: number) => {
      done += count
      await recordProgress(places.products, id, done)
    }
    let state: 'finished' | 'stopped' = 'stopped'
    try {
      await carryOut(places, order, items, stopping.signal, onDone)
      if (!stopping.signal.aborted) state = 'finished'
    } catch (error) {
      logger.error({ err: error, action: id }, 'an action of the console stopped')
    }
    needs.forget()
    await recordEnd(places.products, id, state, done)
    logger.info(
      { action: id, who: order.who, what: order.what, source: order.source, count: items.length, done },
      'action',
    )
  }

  return {
    async start(order, items) {
      const id = await recordAction(places.products, {
        ...order,
        reason: items[0]?.reason ?? '',
        ids: items.map((item) => item.id),
        event_ids: items.flatMap(({ event_id }) => event_id ?? []),
      })
      last = last
        .then(() => run(id, order, items))
        .catch((error: unknown) =>
          logger.error({ err: error, action: id }, 'the end of an action could not be recorded'),
        )
      return id
    },
    async stop() {
      stopping.abort()
      await last
    },
  }
}

async function carryOut(
  places: Places,
  { what, source, rate, who }: Order,
  items: Item[],
  signal: AbortSignal,
  onDone: (count: number) => Promise<void>,
): Promise<void> {
  if (source !== 'messages') {
    const db = source === 'events' ? places.products : places.notifications
    const ids = items.map(({ id }) => id)
    const progress: Promise<void>[] = []
    await redrive(outboxTables(db), ids, {
      by: who,
      rate,
      signal,
      onProgress: (done) => void progress.push(onDone(done.length)),
    })
    await Promise.all(progress)
    return
  }
  const queues = await places.queues()
  const wanted = new Set(items.map(({ id }) => id))
  const taken = await takeDeadLetters(queues, HIDDEN_SECONDS)
  const [chosen, others] = [true, false].map((is) => taken.filter(({ MessageId = '' }) => wanted.has(MessageId) === is))
  await giveBack(queues, others ?? [])
  const left = new Set(chosen)
  const from = performance.now()
  try {
    for (const [index, message] of (chosen ?? []).entries()) {
      await sleep(Math.max(0, from + (index * 1000) / rate - performance.now()), undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      if (what === 'redrive') await redriveDeadLetter(queues, message)
      else await deleteDeadLetter(queues, message)
      left.delete(message)
      await onDone(1)
    }
  } finally {
    await giveBack(queues, [...left])
  }
}
