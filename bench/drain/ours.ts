import { randomUUIDv7 } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, migrate, transaction } from '@product-events/database'
import {
  append,
  createRelay,
  LANES,
  outboxMigrations,
  type Relay,
  type Send,
  type Transaction,
} from '@product-events/outbox'
import { query } from '../server.ts'
import { type Drainer, samplePayload } from './drainer.ts'

/** Events written by one append, as the group commit of a busy service would. */
const APPEND = 1_000

const sink: Send = async (events) => ({ outcomes: new Map(events.map(({ id }) => [id, { kind: 'accepted' }])) })

export interface OursOptions {
  relays?: number
  send?: Send
  inFlight?: number
  /** Gives the lanes back after each drain, for others of the same database. */
  takesTurns?: boolean
}

/** Relays of ours in this process, to a sink that takes everything at once unless told otherwise. */
export async function oursTo(
  name: string,
  databaseUrl: string,
  { relays = 1, send = sink, inFlight, takesTurns = false }: OursOptions,
): Promise<Drainer> {
  await migrate(databaseUrl, outboxMigrations)
  const db = connect({ databaseUrl, applicationName: 'bench', maxConnections: 2 * relays + 1, onIdleError: () => {} })
  const options = { db, send, ...(inFlight !== undefined && { inFlight }) }
  let all: Relay[] = []
  const release = async () => {
    for (const relay of all) await relay.release()
    all = []
  }
  return {
    name,
    async fill(count) {
      if (all.length === 0) {
        all = Array.from({ length: relays }, () => createRelay(options))
        await shareLanes(all, databaseUrl)
      }
      // One transaction, so that all of them are there at once, at the end of it.
      await transaction(db, (tx) => appendMany(tx, count))
    },
    async drain(count) {
      let published = 0
      const drainAll = async (relay: Relay) => {
        while (published < count) {
          const sent = (await relay.drainOnce()).published
          published += sent
          // Its own lanes are empty; the others still work.
          if (sent === 0) await sleep(1)
        }
      }
      await Promise.all(all.map(drainAll))
    },
    // Giving lanes back does not count as draining.
    settled: async () => void (takesTurns && (await release())),
    async close() {
      await release()
      await db.end()
    },
  }
}

/** Lets each relay look at the others until each has its share of the lanes. */
async function shareLanes(relays: Relay[], databaseUrl: string): Promise<void> {
  const shares = `SELECT count(*)::int AS lanes FROM outbox_lanes WHERE relay IS NOT NULL GROUP BY relay`
  for (;;) {
    for (const relay of relays) await relay.drainOnce()
    const rows = await query<{ lanes: number }>(databaseUrl, shares)
    if (rows.length === relays.length && rows.every(({ lanes }) => lanes === LANES / relays.length)) return
    await sleep(50)
  }
}

async function appendMany(tx: Transaction, count: number): Promise<void> {
  for (let from = 0; from < count; from += APPEND) {
    const events = Array.from({ length: Math.min(APPEND, count - from) }, (_, n) => ({
      id: randomUUIDv7(),
      key: randomUUIDv7(),
      type: 'product.created',
      payload: samplePayload(from + n),
    }))
    await append(tx, events)
  }
}
