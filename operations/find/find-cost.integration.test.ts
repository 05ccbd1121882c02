import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { fillHistory, freshSources } from '../testing/databases.ts'
import { findEvent, type Found } from './index.ts'

/** FIND_ROWS=10000000 measures ten times as many; filling them takes minutes. */
const ROWS = Number(process.env.FIND_ROWS ?? 1_000_000)
/** 50 ms on a quiet machine. */
const MOST_MS = 500
/** A binary search over ten million rows takes 24. */
const MOST_PROBES = 40

let sources: Awaited<ReturnType<typeof freshSources>>
let ids: Awaited<ReturnType<typeof fillHistory>>
beforeAll(async () => {
  sources = await freshSources(inject('postgresUrl'), inject('sqsEndpoint'))
  ids = await fillHistory(sources, ROWS, Math.floor(ROWS / 3))
}, 900_000)
afterAll(() => sources.close())

/** The second of two: the first opens connections. */
async function measured(id: string): Promise<Found> {
  await findEvent(id, sources)
  return findEvent(id, sources)
}

test.each(['eventId', 'productId', 'notificationId'] as const)(
  'an event is found by its %s among a million at constant cost',
  async (name) => {
    const found = await measured(ids[name])
    if (found.kind === 'no-id' || found.kind === 'message') throw new Error(found.kind)
    process.stdout.write(`${ROWS} rows, by ${name}: ${JSON.stringify(found.looked)}\n`)
    const [way] = found.kind === 'event' ? [found.way] : found.kind === 'events' ? found.ways : []
    expect(way).toMatchObject({ event_id: ids.eventId, product_id: ids.productId, place: { at: 'notified' } })
    expect(way?.written_at).toBeInstanceOf(Date)
    expect(found.looked.milliseconds).toBeLessThan(MOST_MS)
    expect(found.looked.probes).toBeLessThanOrEqual(MOST_PROBES)
    expect(found.looked.rows).toBeLessThanOrEqual(500)
  },
)

test('an id that is nowhere costs the same, and says how far it looked', async () => {
  const id = ids.eventId.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))
  const found = await measured(id)
  if (found.kind === 'no-id') throw new Error('no id')
  process.stdout.write(`${ROWS} rows, not found: ${JSON.stringify(found.looked)}\n`)
  expect(found.kind).toBe('not-found')
  expect(found.looked.rows).toBeLessThanOrEqual(25_500)
  expect(found.looked.milliseconds).toBeLessThan(2 * MOST_MS)
})

/** A thousand events a second: five thousand others lie between. */
test.each([5_000, -5_000])('an event is found although the clock of its writer was %i ms off', async (ms) => {
  const { rows } = await sources.products.query<{ time: string }>(
    `SELECT lpad(to_hex((extract(epoch FROM created_at) * 1000)::bigint + $2), 12, '0') AS time FROM events WHERE id = $1`,
    [ROWS / 2, ms],
  )
  const time = rows[0]!.time
  const eventId = `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${String(Math.abs(ms)).padStart(12, '0')}`
  await sources.products.query('UPDATE events SET event_id = $2 WHERE id = $1', [ROWS / 2, eventId])
  expect(await findEvent(eventId, sources)).toMatchObject({ kind: 'event', way: { row: { id: String(ROWS / 2) } } })
})
