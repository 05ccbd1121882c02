import { databaseOutage } from '@product-events/outages'
import { freshDatabase } from '@product-events/local'
import pg from 'pg'
import { expect, inject, test, vi } from 'vitest'
import { migrate } from './migrate.ts'

test('a connection that breaks in the middle of migrating is told as that, so that whoever waits for a database goes on', async () => {
  const databaseUrl = await freshDatabase(inject('postgresUrl'))
  const [other, onlooker] = [1, 2].map(() => new pg.Client({ connectionString: databaseUrl })) as [pg.Client, pg.Client]
  await Promise.all([other.connect(), onlooker.connect()])
  try {
    // Whoever makes the same table now waits for this transaction.
    await other.query('BEGIN')
    await other.query('CREATE TABLE broken_migrations (id int)')
    const failure = migrate(databaseUrl, {
      dir: `${import.meta.dirname}/../outbox/migrations`,
      table: 'broken_migrations',
    }).then(
      () => undefined,
      (error: Error) => error,
    )
    await vi.waitFor(async () => {
      const { rowCount } = await onlooker.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'migrate' AND wait_event_type = 'Lock'`,
      )
      expect(rowCount).toBe(1)
    }, 10_000)
    expect(databaseOutage(await failure)).toBeDefined()
  } finally {
    await Promise.all([other.end(), onlooker.end()])
  }
})
