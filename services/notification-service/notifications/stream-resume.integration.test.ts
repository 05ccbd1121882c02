import { randomUUID, randomUUIDv7 } from 'node:crypto'
import { expect, test } from 'vitest'
import { testEvent } from '../testing/consumer.ts'
import { BEGINNING } from './read-on.ts'
import { startIssuer } from './testing/issuer.ts'
import { readStream } from './testing/stream.ts'
import { soon, streamTests } from './testing/stream-api.ts'

const { opened, query, queryWith, databaseName, startApi, read, store } = streamTests()

/** An id as ours are, of a notification at that time. */
function uuidAt(ms: number): string {
  const time = ms.toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}${randomUUIDv7().slice(13)}`
}

test.each(['12', 'no id', randomUUID()])('the Last-Event-ID %s, which is none of ours, is a 400', async (id) => {
  await store(1)
  const { url } = await startApi()
  const answer = await fetch(`${url}/notifications/stream`, { headers: { 'last-event-id': id } })
  expect(answer.status).toBe(400)
  expect(await answer.json()).toMatchObject({ errors: [{ field: 'last-event-id' }] })
})

test('a Last-Event-ID that is gone resumes a minute before its time, and one of the future with the next, both after a reset', async () => {
  const { url } = await startApi()
  const ids = await store(5)
  // As if the second one had been stored ten minutes ago, the first one before it, and the third one were lost.
  const idBefore = (ms: number) => uuidAt(Date.now() - ms)
  const [first, second] = [idBefore(700_000), idBefore(600_000)]
  await queryWith('UPDATE notifications SET id = $2 WHERE id = $1', [ids[0], first])
  await queryWith('UPDATE notifications SET id = $2 WHERE id = $1', [ids[1], second])
  await queryWith('DELETE FROM notifications WHERE id = $1', [ids[2]])
  // Ids of one millisecond are in no order, and the last one by id must be the last one stored.
  const rest = [idBefore(2_000), idBefore(1_000)]
  for (const [index, id] of rest.entries())
    await queryWith('UPDATE notifications SET id = $2 WHERE id = $1', [ids[index + 3], id])
  const lost = await read(url, { lastEventId: idBefore(500_000) })
  await expect.poll(() => lost.ids, soon).toEqual(rest)
  expect(lost.resets()).toBe(1)
  const future = await read(url, { lastEventId: uuidAt(Date.now() + 3_600_000) })
  const next = await store(1)
  await expect.poll(() => future.ids, soon).toEqual(next)
  expect(future.resets()).toBe(1)
  const ancient = await read(url, { lastEventId: uuidAt(1_000) })
  await expect.poll(() => ancient.ids, soon).toEqual([first, second, ...rest, ...next])
  expect((await read(url)).resets()).toBe(0)
})

test('a stream ends with the token of its caller, and streams are counted by the subject of the token', async () => {
  const issuer = await startIssuer()
  opened.push(issuer.close)
  const { url } = await startApi({ access: issuer.settings })
  const follow = async (sub: string, seconds: number) => {
    const token = issuer.token(sub, seconds)
    const reader = await readStream(url, { authorization: `Bearer ${token}` })
    opened.push(() => reader.close())
    return reader
  }
  const short = await follow('short', 2)
  const long = await follow('long', 60)
  const ids = await store(1)
  await expect.poll(() => [short.ids, long.ids], soon).toEqual([ids, ids])
  expect(await short.over).toBe('ended')
  const later = await store(1)
  await expect.poll(() => long.ids, soon).toEqual([...ids, ...later])
  expect(short.ids).toEqual(ids)
})

test('when the database is set back to an earlier state, the streams end, and resume with what comes then', async () => {
  const { url } = await startApi()
  const before = await store(3)
  const reader = await read(url, { lastEventId: BEGINNING.id })
  await expect.poll(() => reader.ids, soon).toEqual(before)
  await query('CREATE TABLE backup AS TABLE notifications')
  const lost = await store(4)
  await expect.poll(() => reader.ids, soon).toEqual([...before, ...lost])
  // The restore: positions are given out again.
  await query(`TRUNCATE notifications RESTART IDENTITY`)
  await query(`INSERT INTO notifications OVERRIDING SYSTEM VALUE TABLE backup`)
  await query(`SELECT setval(pg_get_serial_sequence('notifications', 'position'), 3)`)
  expect(await reader.over).toBe('ended')
  const again = await read(url, { lastEventId: reader.lastEventId() })
  const after = await store(6)
  // Everything that is new comes, and what comes again is known to the reader.
  await expect.poll(() => again.ids.filter((id) => !reader.ids.includes(id)), soon).toEqual(after)
  expect(again.resets()).toBe(1)
})

test('a set-back whose positions are taken by others at once is noticed all the same', async () => {
  const { url } = await startApi()
  await store(3)
  const reader = await read(url)
  const seen = await store(2)
  await expect.poll(() => reader.ids, soon).toEqual(seen)
  await query(
    'BEGIN; DELETE FROM notifications WHERE position > 3; ALTER TABLE notifications ALTER position RESTART WITH 4; COMMIT',
  )
  const others = await store(20)
  expect(await reader.over).toBe('ended')
  const again = await read(url, { lastEventId: reader.lastEventId() })
  await expect.poll(() => again.ids.filter((id) => others.includes(id)), soon).toEqual(others)
})

test('a database that can not be reached tells a browser to come again, not to give up', async () => {
  const { url } = await startApi({ databaseUrl: 'postgres://127.0.0.1:1/none' })
  const answer = await fetch(`${url}/notifications/stream`, { headers: { accept: 'text/event-stream' } })
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
  expect(await answer.text()).toMatch(/^retry: \d+\n: /)
  expect((await fetch(`${url}/notifications/stream`)).status).toBe(503)
})

test('notifications of any length come in pages and streams of bounded size', async () => {
  const name = 'x'.repeat(100_000)
  const ids = await store(30, () => testEvent('product.created', { name }))
  const { url } = await startApi()
  const reader = await read(url, { lastEventId: BEGINNING.id })
  await expect.poll(() => reader.ids, soon).toEqual(ids)
  const listed: string[] = []
  let token: string | null = ''
  while (token !== null) {
    const answer = await fetch(`${url}/notifications?limit=100${token && `&token=${token}`}`)
    const body = await answer.text()
    expect(body.length).toBeLessThan(1.5 * 1024 * 1024)
    const page = JSON.parse(body) as { notifications: { id: string }[]; next_page_token: string | null }
    listed.push(...page.notifications.map(({ id }) => id))
    token = page.next_page_token
  }
  expect(listed).toEqual(ids.toReversed())
})

test('settings of the session change nothing that is shown', async () => {
  const [id] = await store(1)
  const { url } = await startApi()
  const shown = await (await fetch(`${url}/notifications/${id}`)).json()
  const name = databaseName()
  await query('CREATE SCHEMA hostile; CREATE TABLE hostile.notifications (x int)')
  for (const setting of [`datestyle = 'German, DMY'`, `timezone = 'Asia/Kathmandu'`, `search_path = hostile`])
    await query(`ALTER DATABASE ${name} SET ${setting}`)
  const hostile = await startApi()
  expect(await (await fetch(`${hostile.url}/notifications/${id}`)).json()).toEqual(shown)
  const page = (await (await fetch(`${hostile.url}/notifications`)).json()) as { notifications: unknown[] }
  expect(page.notifications).toEqual([shown])
  const reader = await read(hostile.url, { lastEventId: BEGINNING.id })
  await expect.poll(() => reader.notifications, soon).toEqual([shown])
})
