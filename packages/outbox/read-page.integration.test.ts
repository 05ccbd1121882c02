import type pg from 'pg'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { claimPending, MAX_BYTES } from './claim.ts'
import { type Database, outboxTables } from './database.ts'
import { append } from './index.ts'
import { readApart } from './read-page.ts'
import { freshOutbox, newEvent } from './testing/outbox.ts'

let db: pg.Pool
beforeEach(async () => {
  db = await freshOutbox(inject('postgresUrl'))
})
afterEach(() => db.end())

/** 16 MB may take a busy machine longer than a statement of a relay may. */
const query: Database['query'] = (text, values) => {
  const patient: pg.QueryConfig & { query_timeout: number } = { text, values, query_timeout: 60_000 }
  return db.query(patient)
}

/** What a claim of the lane of key `a` brings when it reads ids first. */
async function readLane(count: number, by = query) {
  const { rows } = await db.query<{ lane: number }>(`SELECT lane FROM events WHERE key = 'a' LIMIT 1`)
  const lanes = [{ lane: rows[0]!.lane, held: [], heldEvents: [], full: [] }]
  const { events, broken } = await readApart(outboxTables({ query: by }), claimPending, lanes, count)
  return { ids: events.map(({ id }) => Number(id)), broken: broken.map(({ event }) => Number(event.id)) }
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n + 1)

test('events that are read apart come in their order, wherever their rows lie in the table', async () => {
  await append(
    db,
    Array.from({ length: 200 }, () => newEvent('a')),
  )
  // Each row moves behind the others.
  for (const id of [1, 5, 2]) await db.query('UPDATE events SET attempts = attempts WHERE id = $1', [id])
  await db.query('ANALYZE events')
  expect(await readLane(200)).toEqual({ ids: upTo(200), broken: [] })
})

test('where events have no room, those behind them are left too, although a row that can not be read makes it read in halves', async () => {
  // Little on disk, so that the claim brings all numbers. With the second event it is more than is read at once.
  await db.query(
    `INSERT INTO events (event_id, key, type, payload)
     VALUES (gen_random_uuid(), 'a', 't', to_jsonb(repeat('x', ${MAX_BYTES - 1_000})))`,
  )
  await append(db, [newEvent('a', 'x'.repeat(1_000)), ...Array.from({ length: 4 }, () => newEvent('a'))])
  const damaged: Database['query'] = (text, values) => {
    const wanted = JSON.parse(String(values[0])) as { id?: string }[]
    if (wanted.some(({ id }) => id === '6')) throw new Error('missing chunk number 0 for toast value 16384')
    return query(text, values)
  }
  expect(await readLane(6, damaged)).toEqual({ ids: [1, 2], broken: [] })
})
