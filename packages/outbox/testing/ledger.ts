import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { WithId } from './outbox.ts'
import type { OutboxEvent } from '../send.ts'
import { MAX_ATTEMPTS } from '../settle.ts'

/**
 * What the broker does with one event, and what the relay hears of it. `lost`: accepted, and the answer did not come.
 */
export type Fate = 'accepted' | 'refused' | 'unacceptable' | 'lost' | 'silence' | 'outage'

/** The true state of an event, whatever the database says. */
interface Fact {
  key: string
  /** Its place among the events of its key. */
  place: number
  committed: boolean
  accepted: boolean
  /** Attempts that it came with, and refusals that a relay received. */
  refusals: number
  unacceptable: boolean
  /** Younger ones may have gone before. */
  redriven: boolean
}

/** Names one sending of an event: after a redrive the same relay sends the same event again, rightly. */
export const sendingOf = ({ id, redriven }: OutboxEvent) => `${id} ${redriven}`

export type Ledger = ReturnType<typeof createLedger>

/** Keeps the facts about events and says, as soon as it can be known, which promise of the outbox is broken. */
export function createLedger() {
  const facts = new Map<string, Fact>()
  const places = new Map<string, number>()
  const broken: string[] = []

  function accept({ eventId, id, key }: OutboxEvent): void {
    const fact = facts.get(eventId)!
    if (fact.accepted) return
    fact.accepted = true
    for (const earlier of facts.values()) {
      if (earlier.key !== key || earlier.place >= fact.place || !earlier.committed || earlier.redriven) continue
      if (!earlier.accepted && !mayBeDead(earlier)) broken.push(`${id} of ${key} overtook number ${earlier.place}`)
    }
  }

  return {
    broken,

    newEvents(keys: readonly string[], { committed, attempts }: { committed: boolean; attempts: number }): WithId[] {
      return keys.map((key) => {
        const id = randomUUID()
        const place = (places.get(key) ?? 0) + 1
        places.set(key, place)
        const untouched = { accepted: false, unacceptable: false, redriven: false }
        facts.set(id, { ...untouched, key, place, committed, refusals: attempts })
        return { id, key, type: 'test', payload: place }
      })
    },

    committed(ids: readonly string[]): void {
      for (const id of ids) facts.get(id)!.committed = true
    },

    redriven(ids: readonly string[]): void {
      for (const id of ids) Object.assign(facts.get(id)!, { refusals: 0, unacceptable: false, redriven: true })
    },

    /** A relay sends `batch`, while sends of `underWay` have no verdict yet; it was told that `known` were accepted. */
    sent(batch: readonly OutboxEvent[], underWay: readonly OutboxEvent[], known: ReadonlySet<string>): void {
      if (batch.length > 3) broken.push(`${batch.length} events in one batch`)
      for (const event of batch) {
        const { eventId, id, key } = event
        if (facts.get(eventId)?.committed !== true) broken.push(`${id} was sent and never committed`)
        if (known.has(sendingOf(event))) broken.push(`${id} was sent again by a relay that knew that it was accepted`)
        if (underWay.some((other) => other.key === key)) broken.push(`two events of ${key} are under way`)
        if (batch.filter((other) => other.key === key).length > 1) broken.push(`two events of ${key} in one batch`)
      }
    },

    judged(event: OutboxEvent, fate: Fate): void {
      const fact = facts.get(event.eventId)!
      if (fate === 'accepted' || fate === 'lost') accept(event)
      if (fate === 'refused') fact.refusals++
      if (fate === 'unacceptable') fact.unacceptable = true
    },

    /** Compares the table with the facts, once nothing is left to be sent. */
    async wrongInTheEnd(db: pg.Pool): Promise<string[]> {
      const { rows } = await db.query<{ event_id: string; status: string; attempts: number }>(
        'SELECT event_id, status, attempts FROM events',
      )
      const missing = [...facts].filter(([id, { committed }]) => committed && !rows.some((row) => row.event_id === id))
      return [
        ...missing.map(([, { key, place }]) => `number ${place} of ${key} is gone`),
        ...rows.flatMap((row) => wrongWith(facts.get(row.event_id)!, row)),
      ]
    },
  }
}

function mayBeDead({ unacceptable, refusals }: Fact): boolean {
  return unacceptable || refusals >= MAX_ATTEMPTS
}

/** What the row says and is not true. */
function wrongWith(fact: Fact, { status, attempts }: { status: string; attempts: number }): string[] {
  const name = `number ${fact.place} of ${fact.key}`
  return [
    ...(status === 'pending' || status === 'failed' ? [`${name} is ${status} for ever`] : []),
    ...(status === 'processed' && !fact.accepted ? [`${name} is processed, and the broker has it not`] : []),
    ...(status === 'dead' && !mayBeDead(fact) ? [`${name} is dead after ${fact.refusals} refusals`] : []),
    ...(attempts > fact.refusals + (fact.unacceptable ? 1 : 0) ? [`${name} lost attempts to no refusal`] : []),
  ]
}
