import { freshDatabase } from '@product-events/local'
import { claimOutbox, outboxMigrations, outboxTables } from '@product-events/outbox'
import pg from 'pg'
import { expect, inject, onTestFinished, test } from 'vitest'
import { spawnService } from './testing/process.ts'

test('the database of product-service is refused with one line, and nothing appears in it', async () => {
  const DATABASE_URL = await freshDatabase(inject('postgresUrl'), outboxMigrations)
  const db = new pg.Pool({ connectionString: DATABASE_URL })
  onTestFinished(() => db.end())
  await claimOutbox(outboxTables(db), 'product-service')
  const service = await spawnService({ DATABASE_URL, AWS_ENDPOINT_URL_SQS: inject('sqsEndpoint') })
  onTestFinished(() => service.end().then(() => {}))
  expect(await service.exit).toEqual([1, null])
  expect(service.stderr()).toMatch(
    /^[^\n]* belongs to product-service, so notification-service can't use it\.[^\n]*\n$/,
  )
  expect((await db.query(`SELECT to_regclass('notifications') AS found`)).rows).toEqual([{ found: null }])
})
