import { randomUUIDv7 } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { expect, test } from 'vitest'
import { testEvent } from '../testing/consumer.ts'
import { BEGINNING } from './read-on.ts'
import { soon, streamTests } from './testing/stream-api.ts'

const { opened, query, startApi, read, store } = streamTests()

test('a reader gets every notification from now on, in order, each as GET /notifications/{id} shows it', async () => {
  await store(3)
  const { url } = await startApi()
  const reader = await read(url)
  const ids = [...(await store(2)), ...(await store(1))]
  await expect.poll(() => reader.ids, soon).toEqual(ids)
  const shown = await fetch(`${url}/notifications/${ids[0]}`)
  expect(await shown.json()).toEqual(reader.notifications[0])
})

test('a stream of any instance shows what every instance stores', async () => {
  const instances = [await startApi(), await startApi()]
  const readers = await Promise.all(instances.map(({ url }) => read(url)))
  const ids = await store(25)
  for (const reader of readers) await expect.poll(() => reader.ids, soon).toEqual(ids)
})

test('from one instance to the other and back, cut off in the middle of a stream of changes, none is missed or comes twice', async () => {
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
  const { rows } = await query('SELECT id FROM notifications ORDER BY position')
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
  const { url } = await startApi({ heartbeatMs: 50 })
  const reader = await read(url, { query: '?event_type=product.none' })
  const [id] = await store(1)
  await expect.poll(() => reader.heartbeats(), soon).toBeGreaterThan(2)
  await expect.poll(() => reader.lastEventId(), soon).toBe(id)
  expect(reader.ids).toEqual([])
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
    await store(500, () => testEvent('product.created', { name: 'x'.repeat(5_000) }))
    const { rows } = await query('SELECT count(*)::int FROM notifications')
    await expect.poll(() => reader.ids.length, soon).toBe(rows[0]?.count)
  }
  expect(logged('too slow')).toHaveLength(1)
  socket.resume()
  await once(socket, 'close')
  const again = await read(url, { lastEventId })
  await expect.poll(() => again.ids.length, soon).toBe(reader.ids.length)
  expect(again.ids).toEqual(reader.ids)
})

test('a database that goes away for a moment ends no stream and loses nothing', async () => {
  const { url, logged } = await startApi()
  const reader = await read(url)
  await query('ALTER TABLE notifications RENAME TO away')
  await expect.poll(() => logged('can not be read for the streams').length, soon).toBe(1)
  await query('ALTER TABLE away RENAME TO notifications')
  const ids = await store(1)
  await expect.poll(() => reader.ids, soon).toEqual(ids)
  expect(logged('the streams go on')).toHaveLength(1)
})

test('a stream shows what any instance stores within milliseconds, by wake-ups', async () => {
  const [one, two] = [await startApi({ wakeUps: true }), await startApi({ wakeUps: true })]
  await expect.poll(() => [one.wakeUps?.works(), two.wakeUps?.works()], soon).toEqual([true, true])
  const readers = [await read(one.url), await read(two.url)]
  const delays: number[] = []
  for (let round = 0; round < 10; round++) {
    const [id] = await store(1)
    const from = performance.now()
    one.wakeUps?.stored()
    for (const reader of readers) await expect.poll(() => reader.ids.at(-1), { ...soon, interval: 1 }).toBe(id)
    delays.push(performance.now() - from)
  }
  // Without wake-ups the poll of two seconds would bring each of them, after a second on average.
  expect(delays.toSorted((a, b) => a - b)[5]).toBeLessThan(300)
})

test('while wake-ups are lost the poll brings everything', async () => {
  const { url, wakeUps } = await startApi({ wakeUps: true })
  await expect.poll(() => wakeUps?.works(), soon).toBe(true)
  const reader = await read(url)
  const ids = await store(3)
  await expect.poll(() => reader.ids, soon).toEqual(ids)
})
