import { freePort, freshDatabase } from '@product-events/local'
import { outboxMigrations } from '@product-events/outbox'
import pg from 'pg'
import { expect, inject, test } from 'vitest'
import { outbox } from './channels/outbox.ts'
import { spawnService } from './testing/process.ts'

test('an outbox that belongs to product-service is refused with one line', async () => {
  const DATABASE_URL = await freshDatabase(inject('postgresUrl'), outboxMigrations)
  const db = new pg.Pool({ connectionString: DATABASE_URL })
  await outbox.claim(db, 'product-service')
  const AWS_ENDPOINT_URL_SQS = inject('sqsEndpoint')
  const service = await spawnService({
    DATABASE_URL,
    AWS_ENDPOINT_URL_SQS,
    SQS_QUEUE_NAME: `queue-${await freePort()}`,
  })
  expect(await service.exit).toEqual([1, null])
  expect(service.stderr()).toMatch(
    /^[^\n]* belongs to product-service, so notification-service can't use it\.[^\n]*\n$/,
  )
  expect((await db.query(`SELECT to_regclass('notifications') AS found`)).rows).toEqual([{ found: null }])
  await service.end()
  await db.end()
})
