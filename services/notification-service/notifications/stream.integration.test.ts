import { randomUUIDv7 } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { connect } from '@product-events/database'
import { dropDatabase, freshDatabase } from '@product-events/local'
import type pg from 'pg'
import { pino } from 'pino'
import { createRegistry } from '@product-events/telemetry'
import { afterEach, beforeEach, expect, inject, test, vi } from 'vitest'
import { buildApp } from '../app.ts'
import { logLines } from '../log-lines.ts'
import { notificationMigrations } from '../migrations.ts'
import { testEvent } from '../testing/consumer.ts'
import { MOST_WAITING } from './follow.ts'
import { notificationOf } from './notification.ts'
import { BEGINNING } from './read-on.ts'
import { storeNotifications } from './store.ts'
import { MOST_STREAMS } from './stream.ts'
import { readStream, type StreamReader } from './testing/stream.ts'

const soon = { timeout: 10_000, interval: 10 }

let databaseUrl: string
let pool: pg.Pool
/** What a test opened, closed in reverse however it went. */
const opened: (() => unknown)[] = []
beforeEach(async () => {
  databaseUrl = await freshDatabase(inject('postgresUrl'), notificationMigrations)
  pool = connect({ databaseUrl, applicationName: 'test', maxConnections: 5, onIdleError: () => {} })
})
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
  await pool.end()
  await dropDatabase(databaseUrl)
})

/** An instance of the service's API, listening, with a pool of its own. */
async function startApi(heartbeatMs = 60_000) {
  const lines: string[] = []
  const logger = pino({ level: 'info' }, { write: (line) => void lines.push(line) })
  const own = connect({ databaseUrl, applicationName: 'api', maxConnections: 10, onIdleError: () => {} })
  const app = buildApp({
    pool: own,
    logger,
    log: logLines(logger),
    registry: createRegistry(),
    access: undefined,
    heartbeatMs,
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  let closed: Promise<void> | undefined
  const close = () => (closed ??= app.close().then(() => own.end()))
  opened.push(close)
  return { url, close, logged: (text: string) => lines.filter((line) => line.includes(text)) }
}

async function read(url: string, options: { lastEventId?: string; query?: string } = {}): Promise<StreamReader> {
  const reader = await readStream(url, options)
  opened.push(() => reader.close())
  // Its first block: from here on nothing passes it by.
  await expect.poll(() => reader.retryMs(), soon).toBe(2000)
  return reader
}

async function store(count: number, event = () => testEvent()): Promise<string[]> {
  const notifications = Array.from({ length: count }, () => notificationOf(event()))
  await storeNotifications(pool, notifications)
  return notifications.map((notification) => notification.id)
}

test('whoever listens is told what comes from now on, in order, each as GET /notifications/{id} shows it', async () => {
  await store(3)
  const { url } = await startApi()
  const reader = await read(url)
  const ids = [...(await store(2)), ...(await store(1))]
  await expect.poll(() => reader.ids, soon).toEqual(ids)
  const shown = await fetch(`${url}/notifications/${ids[0]}`)
  expect(await shown.json()).toEqual(reader.notifications[0])
})

test('what any instance stores is told by every instance', async () => {
  const instances = [await startApi(), await startApi()]
  const readers = await Promise.all(instances.map(({ url }) => read(url)))
  const ids = await store(25)
  for (const reader of readers) await expect.poll(() => reader.ids, soon).toEqual(ids)
})

test('from one instance to the other and back, cut off in the middle of a stream of changes, no one is missed or told twice', async () => {
  const instances = [await startApi(), await startApi()]
  let stored = 0
  let enough = false
  const writing = (async () => {
    while (!enough) stored += (await store(3)).length
  })()
  const seen: string[] = []
  let lastEventId = BEGINNING.id
  for (let round = 0; round < 8; round++) {
    const reader = await read(instances[round % 2]!.url, { lastEventId })
    await expect.poll(() => reader.ids.length, soon).toBeGreaterThan(0)
    reader.close()
    await reader.over
    seen.push(...reader.ids)
    lastEventId = reader.lastEventId()
  }
  enough = true
  await writing
  const last = await read(instances[0]!.url, { lastEventId })
  await expect.poll(() => seen.length + last.ids.length, soon).toBe(stored)
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM notifications ORDER BY position')
  expect([...seen, ...last.ids]).toEqual(rows.map((row) => row.id))
})

test('a reader that was cut off before anything came goes on from where it was', async () => {
  const first = await startApi()
  const ids = await store(1)
  const reader = await read(first.url)
  expect(reader.lastEventId()).toBe(ids[0])
  await first.close()
  const missed = await store(2)
  const second = await startApi()
  const again = await read(second.url, { lastEventId: reader.lastEventId() })
  await expect.poll(() => again.ids, soon).toEqual(missed)
})

test('on an empty table, too, a reader has a place to go on from', async () => {
  const { url } = await startApi()
  expect((await read(url)).lastEventId()).toBe(BEGINNING.id)
  const ids = await store(150)
  const reader = await read(url, { lastEventId: BEGINNING.id })
  await expect.poll(() => reader.ids, soon).toEqual(ids)
})

test('filters by product and by type hold while it catches up and while it listens', async () => {
  const productId = randomUUIDv7()
  const mine = () => testEvent('product.created', { productId })
  const missed = [await store(3), await store(120, mine), await store(2)][1]!
  const { url } = await startApi()
  const lastEventId = BEGINNING.id
  const byProduct = await read(url, { lastEventId, query: `?product_id=${productId.toUpperCase()}` })
  const byBoth = await read(url, { lastEventId, query: `?product_id=${productId}&event_type=product.deleted` })
  const live = await store(2, mine)
  await store(1)
  const deleted = await store(1, () => testEvent('product.deleted', { productId }))
  await expect.poll(() => byProduct.ids, soon).toEqual([...missed, ...live, ...deleted])
  await expect.poll(() => byBoth.ids, soon).toEqual(deleted)
})

test('a silent stream says that it is still there, and moves its reader on past what the filter keeps from it', async () => {
  const { url } = await startApi(50)
  const reader = await read(url, { query: '?event_type=product.none' })
  const [id] = await store(1)
  await expect.poll(() => reader.heartbeats(), soon).toBeGreaterThan(2)
  await expect.poll(() => reader.lastEventId(), soon).toBe(id)
  expect(reader.ids).toEqual([])
})

test.each(['12', 'no id', randomUUIDv7()])('the Last-Event-ID %s, which is none of ours, is a 400', async (id) => {
  await store(1)
  const { url } = await startApi()
  const answer = await fetch(`${url}/notifications/stream`, { headers: { 'last-event-id': id } })
  expect(answer.status).toBe(400)
  expect(await answer.json()).toMatchObject({ errors: [{ field: 'last-event-id' }] })
})

test.each(['product_id=7', 'event_type=', 'limit=3'])('the query %s is a 400', async (query) => {
  const { url } = await startApi()
  const answer = await fetch(`${url}/notifications/stream?${query}`)
  expect(answer.status).toBe(400)
  expect(await answer.json()).toMatchObject({ errors: [{ field: query.split('=')[0] }] })
})

test('when the API closes, its streams end in order and at once', async () => {
  const { url, close } = await startApi()
  const readers = [await read(url), await read(url)]
  await close()
  for (const reader of readers) expect(await reader.over).toBe('ended')
})

test('a reader that does not read is cut off, others are not, and it can resume', async () => {
  const { url, logged } = await startApi()
  const socket = connectSocket(Number(new URL(url).port), '127.0.0.1')
  opened.push(() => socket.destroy())
  socket.on('error', () => {})
  socket.write('GET /notifications/stream HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const [head] = (await once(socket, 'data')) as [Buffer]
  const [, lastEventId = ''] = /^id: (\S+)/m.exec(head.toString()) ?? []
  socket.pause()
  const reader = await read(url)

  // More than the buffers of two sockets hold.
  for (let batch = 0; logged('too slow').length === 0 && batch < 200; batch++) {
    await store(MOST_WAITING, () => testEvent('product.created', { name: 'x'.repeat(5_000) }))
    const { rows } = await pool.query<{ count: number }>('SELECT count(*)::int FROM notifications')
    await expect.poll(() => reader.ids.length, soon).toBe(rows[0]?.count)
  }
  expect(logged('too slow')).toHaveLength(1)
  socket.resume()
  await once(socket, 'close')
  const again = await read(url, { lastEventId })
  await expect.poll(() => again.ids.length, soon).toBe(reader.ids.length)
  expect(again.ids).toEqual(reader.ids)
})

test('more streams than one process keeps are a 503, until one of them is gone', async () => {
  const { url } = await startApi()
  const readers: StreamReader[] = []
  opened.push(() => readers.forEach((reader) => reader.close()))
  // Fewer at once than the requests that may be under way; open streams are none.
  for (let wave = 0; wave < 10; wave++)
    readers.push(...(await Promise.all(Array.from({ length: MOST_STREAMS / 10 }, () => readStream(url)))))
  const answer = await fetch(`${url}/notifications/stream`)
  expect(answer.status).toBe(503)
  expect(answer.headers.get('retry-after')).not.toBeNull()
  readers[0]?.close()
  const another = await vi.waitFor(() => readStream(url), soon)
  readers.push(another)
})

test('a database that goes away for a moment ends no stream and loses nothing', async () => {
  const { url, logged } = await startApi()
  const reader = await read(url)
  await pool.query('ALTER TABLE notifications RENAME TO away')
  await expect.poll(() => logged('can not be read for the streams').length, soon).toBe(1)
  await pool.query('ALTER TABLE away RENAME TO notifications')
  const ids = await store(1)
  await expect.poll(() => reader.ids, soon).toEqual(ids)
  expect(logged('the streams go on')).toHaveLength(1)
})
