import { randomUUIDv7 } from 'node:crypto'
import { connect } from 'database'
import { dropDatabase, freshDatabase } from 'local'
import type { HttpApi } from 'http-api'
import type pg from 'pg'
import { pino } from 'pino'
import { createRegistry } from 'telemetry'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { buildApp } from '../app.ts'
import { logLines } from '../log-lines.ts'
import { notificationMigrations } from '../migrations.ts'
import { testEvent } from '../testing.ts'
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
  app = buildApp({ pool, logger, log: logLines(logger), registry: createRegistry() })
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

test.each([1, 100])('a limit of %d is taken', async (limit) => {
  await store(101)
  expect((await list(`limit=${limit}`)).notifications).toHaveLength(limit)
})

test.each(['limit=0', 'limit=101', 'limit=many', 'token=made-up', 'token=', 'colour=red'])(
  'the query %s is answered with 400 and the field that is wrong',
  async (query) => {
    const answer = await app.inject(`/notifications?${query}`)
    expect(answer.statusCode).toBe(400)
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.json()).toMatchObject({ errors: [{ field: query.split('=')[0] }] })
  },
)

test.each([randomUUIDv7(), 'no-uuid', `${randomUUIDv7()}0`])('there is no notification %s: 404', async (id) => {
  const answer = await app.inject(`/notifications/${id}`)
  expect(answer.statusCode).toBe(404)
})

test('notifications can be read only: another method is answered with 405 and those there are', async () => {
  const answer = await app.inject({ method: 'DELETE', url: '/notifications' })
  expect(answer.statusCode).toBe(405)
  expect(answer.headers.allow).toContain('GET')
})

test('without a table the answer is a 500 that does not say so, without a database a 503', async () => {
  await pool.query('DROP TABLE notifications')
  const bug = await app.inject('/notifications')
  expect(bug.statusCode).toBe(500)
  expect(bug.body).not.toContain('relation')

  await dropDatabase(databaseUrl)
  const away = await app.inject('/notifications')
  expect(away.statusCode).toBe(503)
  expect(away.headers['retry-after']).toBeDefined()
})
