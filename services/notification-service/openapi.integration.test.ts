import { connect } from '@product-events/database'
import type { HttpApi } from '@product-events/http-api'
import { freshDatabase } from '@product-events/local'
import type pg from 'pg'
import { pino } from 'pino'
import { createRegistry } from '@product-events/telemetry'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createAnswerCheck } from '../../packages/http-api/testing/check-answer.ts'
import type { OpenApiDocument } from '../../packages/http-api/openapi-document.ts'
import { exampleAnswers, exampleRequests, missingExamples } from '../../packages/http-api/testing/examples.ts'
import { buildApp } from './app.ts'
import { logLines } from './log-lines.ts'
import { notificationMigrations } from './migrations.ts'
import { notificationOf } from './notifications/notification.ts'
import { storeNotifications } from './notifications/store.ts'
import { testEvent } from './testing/consumer.ts'

let pool: pg.Pool
let app: HttpApi
let document: OpenApiDocument
beforeAll(async () => {
  const databaseUrl = await freshDatabase(inject('postgresUrl'), notificationMigrations)
  pool = connect({ databaseUrl, applicationName: 'test', maxConnections: 2, onIdleError: () => {} })
  const logger = pino({ level: 'silent' })
  app = buildApp({ pool, logger, log: logLines(logger), registry: createRegistry(), access: undefined })
  document = (await app.inject('/openapi.json')).json()
})
afterAll(async () => {
  await app.close()
  await pool.end()
})

test('the document has an example of every parameter and answer, and describes each of them', () => {
  expect(Object.keys(document.paths)).toContain('/notifications')
  expect(missingExamples(document)).toEqual([])
  const check = createAnswerCheck(document)
  for (const answer of exampleAnswers(document)) expect(check(answer), JSON.stringify(answer)).toBeUndefined()
})

test('every request that the document shows is answered as described, and without an error', async () => {
  const notification = notificationOf(testEvent())
  await storeNotifications(pool, [notification])
  for (const { method, path, query, headers } of exampleRequests(document)) {
    // It would not end.
    if (path.endsWith('/stream')) continue
    const answer = await app.inject({ method, url: path.replace('{id}', notification.id), query, headers })
    expect([method, path, query, answer.statusCode, answer.body]).toSatisfy(() => answer.statusCode < 400)
  }
})

test('the docs can be read', async () => {
  const page = await app.inject('/docs')
  expect(page.statusCode).toBe(200)
  expect(page.body).toContain('<code>GET /notifications</code>')
})
