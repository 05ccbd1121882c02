import { randomUUIDv7 } from 'node:crypto'
import { connect } from '@product-events/database'
import { dropDatabase, freshDatabase } from '@product-events/local'
import type { HttpApi } from '@product-events/http-api'
import type pg from 'pg'
import { pino } from 'pino'
import { createRegistry } from '@product-events/telemetry'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { buildApp } from '../app.ts'
import { logLines } from '../log-lines.ts'
import { notificationMigrations } from '../migrations.ts'
import { testEvent } from '../testing/consumer.ts'
import { notificationOf } from './notification.ts'
import type { Notification } from './schemas.ts'
import { storeNotifications } from './store.ts'

interface Page {
  notifications: Notification[]
  next_page_token: string | null
}

let databaseUrl: string
let pool: pg.Pool
let app: HttpApi
beforeEach(async () => {
  databaseUrl = await freshDatabase(inject('postgresUrl'), notificationMigrations)
  pool = connect({ databaseUrl, applicationName: 'test', maxConnections: 2, onIdleError: () => {} })
  const logger = pino({ level: 'silent' })
  app = buildApp({ pool, logger, log: logLines(logger), registry: createRegistry(), access: undefined })
})
afterEach(async () => {
  await app.close()
  await pool.end()
  await dropDatabase(databaseUrl)
})

async function store(count: number): Promise<string[]> {
  const notifications = Array.from({ length: count }, () => notificationOf(testEvent()))
  await storeNotifications(pool, notifications)
  return notifications.map((notification) => notification.id)
}

async function list(query: string): Promise<Page> {
  const answer = await app.inject(`/notifications?${query}`)
  expect(answer.statusCode).toBe(200)
  return answer.json<Page>()
}

test('a notification is shown with all its fields, and no others', async () => {
  const event = testEvent('product.deleted', { name: 'Mug', sequence: 7 })
  const notification = notificationOf(event)
  await storeNotifications(pool, [notification])

  const answer = await app.inject(`/notifications/${notification.id}`)
  expect(answer.statusCode).toBe(200)
  expect(answer.json()).toEqual({
    id: notification.id,
    event_id: event.id,
    event_type: 'product.deleted',
    product_id: event.subject,
    title: 'Product deleted',
    message: '"Mug" was deleted',
    sequence: '7',
    occurred_at: event.time,
    received_at: expect.stringMatching(/^\d{4}-.*Z$/),
  })
  expect((await list('')).notifications).toEqual([answer.json()])
})

test('an empty list is a list without a next page', async () => {
  expect(await list('')).toEqual({ notifications: [], next_page_token: null })
})

test.each([
  [20, null],
  [21, expect.any(String)],
])('of %d notifications a page shows the newest twenty', async (count, next_page_token) => {
  const ids = await store(count)
  const page = await list('')
  expect(page.notifications.map((notification) => notification.id)).toEqual(ids.toReversed().slice(0, 20))
  expect(page.next_page_token).toEqual(next_page_token)
})

test('following the tokens shows every notification once, newest first, though others arrive meanwhile', async () => {
  const ids = await store(25)
  const seen: string[] = []
  let token: string | null = ''
  while (token !== null) {
    const page: Page = await list(`limit=10${token && `&token=${token}`}`)
    seen.push(...page.notifications.map((notification) => notification.id))
    token = page.next_page_token
    await store(1)
  }
  expect(seen).toEqual(ids.toReversed())
})

test('filters by product and by type give their notifications page by page, and a token serves its own filter only', async () => {
  const productId = randomUUIDv7()
  const types = ['product.created', 'product.updated', 'product.updated', 'product.deleted'] as const
  const mine = types.map((type, index) => notificationOf(testEvent(type, { productId, sequence: index + 1 })))
  for (const notification of mine) {
    await storeNotifications(pool, [notification])
    await store(1)
  }
  const seen = async (query: string): Promise<string[]> => {
    const page = await list(query)
    const ids = page.notifications.map((notification) => notification.id)
    return page.next_page_token === null ? ids : [...ids, ...(await seen(`${query}&token=${page.next_page_token}`))]
  }
  const newestFirst = mine.map((notification) => notification.id).toReversed()
  expect(await seen(`product_id=${productId}&limit=3`)).toEqual(newestFirst)
  expect(await seen(`product_id=${productId.toUpperCase()}`)).toEqual(newestFirst)
  expect(await seen(`product_id=${productId}&event_type=product.updated&limit=1`)).toEqual(newestFirst.slice(1, 3))
  expect(await seen('event_type=product.deleted')).toEqual(newestFirst.slice(0, 1))
  expect(await seen('event_type=product.none')).toEqual([])

  const { next_page_token: token } = await list(`product_id=${productId}&limit=1`)
  for (const other of ['', `product_id=${randomUUIDv7()}`, `product_id=${productId}&event_type=product.updated`]) {
    const answer = await app.inject(`/notifications?${other}&token=${token}`)
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject({ errors: [{ field: 'token' }] })
  }
})

test('a filter is answered from an index, whatever the size of the table', async () => {
  await pool.query(
    `INSERT INTO notifications (id, event_id, event_type, product_id, title, message, sequence, occurred_at)
     SELECT gen_random_uuid(), gen_random_uuid(), 'product.created', gen_random_uuid(), '', '', 1, now()
     FROM generate_series(1, 5000)`,
  )
  await pool.query('ANALYZE notifications')
  const plan = async (condition: string) => {
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN SELECT * FROM notifications WHERE position < 9999 AND ${condition} ORDER BY position DESC LIMIT 20`,
    )
    return rows.map((row) => row['QUERY PLAN']).join('\n')
  }
  expect(await plan(`product_id = '${randomUUIDv7()}'`)).toContain('notifications_by_product')
  expect(await plan(`event_type = 'product.none'`)).toContain('notifications_by_type')
})

test.each([1, 100])('a limit of %d is taken', async (limit) => {
  await store(101)
  expect((await list(`limit=${limit}`)).notifications).toHaveLength(limit)
})

test.each([
  'limit=0',
  'limit=101',
  'limit=many',
  'token=made-up',
  'token=',
  'product_id=7',
  'event_type=',
  'colour=red',
])('the query %s is answered with 400 and the field that is wrong', async (query) => {
  const answer = await app.inject(`/notifications?${query}`)
  expect(answer.statusCode).toBe(400)
  expect(answer.headers['content-type']).toBe('application/problem+json')
  expect(answer.json()).toMatchObject({ errors: [{ field: query.split('=')[0] }] })
})

test.each([randomUUIDv7(), 'no-uuid', `${randomUUIDv7()}0`])('there is no notification %s: 404', async (id) => {
  const answer = await app.inject(`/notifications/${id}`)
  expect(answer.statusCode).toBe(404)
})

test('notifications can be read only: another method is answered with 405 and those there are', async () => {
  const answer = await app.inject({ method: 'DELETE', url: '/notifications' })
  expect(answer.statusCode).toBe(405)
  expect(answer.headers.allow).toContain('GET')
})

test('without a table, or without a database, the answer is a 503 that does not say why', async () => {
  await pool.query('DROP TABLE notifications')
  const bug = await app.inject('/notifications')
  expect(bug.statusCode).toBe(503)
  expect(bug.body).not.toContain('relation')

  await dropDatabase(databaseUrl)
  const away = await app.inject('/notifications')
  expect(away.statusCode).toBe(503)
  expect(away.headers['retry-after']).toBeDefined()
})
