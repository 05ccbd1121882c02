import { randomUUIDv7 } from 'node:crypto'
import { connect, migrate, transaction } from '@product-events/database'
import { append, createRelay, outboxMigrations, type Send } from '@product-events/outbox'
import pg from 'pg'
import { samplePayload, untilNoneLeft } from '../drain/drainer.ts'
import type { Contestant } from '../scenario.ts'
import { atRate, createStopwatch, percentiles } from './latencies.ts'

/** How the relay learns that something was committed. */
export type WakeUp = 'nudge' | 'poll' | 'notify'

/** Who write at once while it is measured what the wake-up costs them. */
export const WRITERS = 64

export interface WakeContestant extends Contestant {
  close(): Promise<void>
}

/** A relay of ours, woken in one of three ways: from the commit to the send, and to the answer of SQS. */
export async function oursWoken(
  name: string,
  by: WakeUp,
  options: { databaseUrl: string; send: Send; rate: number; seconds: number; writingSeconds: number },
): Promise<WakeContestant> {
  const { databaseUrl, rate, seconds, writingSeconds } = options
  await migrate(databaseUrl, outboxMigrations)
  const db = connect({ databaseUrl, applicationName: 'bench', maxConnections: WRITERS + 4, onIdleError: () => {} })
  const [sent, accepted] = [createStopwatch(), createStopwatch()]
  const send: Send = async (events) => {
    for (const { eventId } of events) sent.happened(eventId)
    const result = await options.send(events)
    for (const { eventId } of events) accepted.happened(eventId)
    return result
  }
  const relay = createRelay({ db, send })
  const stop = new AbortController()
  const running = relay.run(stop.signal)
  const listener = new pg.Client({ connectionString: databaseUrl })
  await listener.connect()
  listener.on('notification', relay.nudge)
  if (by === 'notify') await listener.query('LISTEN outbox')

  const write = async (): Promise<string> => {
    const id = randomUUIDv7()
    await transaction(db, async (tx) => {
      await append(tx, [{ id, key: id, type: 'product.created', payload: samplePayload(0) }])
      if (by === 'notify') await tx.query('NOTIFY outbox')
    })
    return id
  }
  return {
    name,
    async round() {
      await atRate(rate, seconds, async () => {
        const id = await write()
        sent.committed(id)
        accepted.committed(id)
        if (by === 'nudge') relay.nudge()
      })
      const figures = {
        ...percentiles('to send', await sent.delays()),
        ...percentiles('to accepted', await accepted.delays()),
        'writes/s of 64': await writesPerSecond(write, writingSeconds),
      }
      // What the writers left must not be sent during the turns of the others.
      relay.nudge()
      await untilNoneLeft(databaseUrl, `SELECT count(*)::int AS left FROM events WHERE status = 'pending'`)
      return figures
    },
    async close() {
      stop.abort()
      await running
      await listener.end()
      await db.end()
    },
  }
}

/** What the wake-up costs those who write: as many transactions as 64 writers get done. */
export async function writesPerSecond(write: () => Promise<string>, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1000
  let writes = 0
  const writer = async () => {
    while (performance.now() < end) {
      await write()
      writes++
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, writer))
  return writes / seconds
}
