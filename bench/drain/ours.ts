import { randomUUIDv7 } from 'node:crypto'
import { connect, migrate, transaction } from 'database'
import { append, createRelay, outboxMigrations, type RelayReport, type Send, type Transaction } from 'outbox'
import { query } from '../server.ts'
import { type Drainer, samplePayload, untilNoneLeft } from './drainer.ts'

/** Events written by one append, as the group commit of a busy service would. */
const APPEND = 1_000

const sink: Send = async (events) => ({ outcomes: new Map(events.map(({ id }) => [id, { kind: 'accepted' }])) })

export interface OursOptions {
  relays?: number
  /** Processed events that stand in the table already. */
  processed?: number
  send?: Send
  inFlight?: number
}

/** Relays of ours in this process, to a sink that takes everything at once unless told otherwise. */
export async function oursTo(
  databaseUrl: string,
  { relays = 1, processed = 0, send = sink, inFlight }: OursOptions,
): Promise<Drainer> {
  await migrate(databaseUrl, outboxMigrations)
  if (processed > 0) await fillProcessed(databaseUrl, processed)
  const db = connect({ databaseUrl, applicationName: 'bench', maxConnections: 2 * relays + 1, onIdleError: () => {} })
  let published = 0
  let wake = () => {}
  const report = (report: RelayReport) => {
    if (report.kind !== 'published') return
    published += report.events.length
    wake()
  }
  const stop = new AbortController()
  const options = { db, send, report, ...(inFlight !== undefined && { inFlight }) }
  const all = Array.from({ length: relays }, () => createRelay(options))
  const running = all.map((relay) => relay.run(stop.signal))
  await untilNoneLeft(
    databaseUrl,
    `SELECT abs(${relays} - count(DISTINCT relay))::int + count(*) FILTER (WHERE relay IS NULL)::int AS left
     FROM outbox_lanes`,
  )
  return {
    name: `${relays} ${relays === 1 ? 'relay' : 'relays'}${processed > 0 ? `, ${processed / 1e6} M processed` : ''}`,
    // One transaction, so that all of them are there at once, at the end of it.
    fill: (count) => transaction(db, (tx) => appendMany(tx, count)),
    async drain(count) {
      all.forEach((relay) => relay.nudge())
      await new Promise<void>((resolve) => {
        wake = () => {
          if (published >= count) resolve()
        }
        wake()
      })
      published = 0
      await untilNoneLeft(databaseUrl, `SELECT count(*)::int AS left FROM events WHERE status = 'pending'`)
    },
    async close() {
      stop.abort()
      await Promise.all(running)
      await db.end()
    },
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

async function fillProcessed(url: string, count: number): Promise<void> {
  await query(
    url,
    `INSERT INTO events (event_id, key, type, payload, status, processed_at)
     SELECT gen_random_uuid(), 'old-' || n, 'product.created', $2::jsonb, 'processed', clock_timestamp()
     FROM generate_series(1, $1::int) AS n`,
    [count, JSON.stringify(samplePayload(0))],
  )
  await query(url, 'VACUUM ANALYZE events')
}
