import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { connect } from '@product-events/database'
import { freshDatabase, machineVariables } from '@product-events/local'
import type pg from 'pg'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { createInbox } from './index.ts'

let databaseUrl: string
let db: pg.Pool
beforeEach(async () => {
  databaseUrl = await freshDatabase(inject('postgresUrl'))
  db = connect({ databaseUrl, applicationName: 'test', maxConnections: 5, onIdleError: () => {} })
})
afterEach(() => db.end())

test('of processes that migrate at once, by pool or URL, one does; a foreign search_path does not matter', async () => {
  const inbox = createInbox({ schema: `a "tenant's"`, consumer: 'x' })
  const { rows } = await db.query<{ name: string }>('SELECT current_database() AS name')
  await db.query(`ALTER DATABASE ${rows[0]!.name} SET search_path = nowhere`)
  const applied = await Promise.all([db, databaseUrl, databaseUrl].map((target) => inbox.migrate(target)))
  expect(applied.flat()).toEqual(['0001_inbox'])
})

test("a step that fails says the server's own error, in a caller's transaction as well", async () => {
  await db.query('CREATE SCHEMA inbox; CREATE TABLE inbox.last_sequences ()')
  const tx = await db.connect()
  await tx.query('BEGIN')
  await expect(createInbox({ consumer: 'x' }).migrate(tx)).rejects.toMatchObject({
    code: '42P07',
    message: 'Migration 0001_inbox of the inbox failed in schema "inbox": relation "last_sequences" already exists',
  })
  await tx.query('ROLLBACK')
  tx.release()
})

test('npx inbox prints the SQL and makes the tables; both need no queue', async () => {
  const inbox = (...words: string[]) =>
    promisify(execFile)(process.execPath, [join(import.meta.dirname, 'bin.ts'), ...words], {
      env: { ...machineVariables(), DATABASE_URL: databaseUrl },
    })
  const billing = createInbox({ schema: 'billing', consumer: 'x' })
  expect((await inbox('sql', '--schema', 'billing', '--role', 'me')).stdout).toBe(billing.sql('me'))
  expect((await inbox('migrate', '--schema=billing')).stdout).toBe('0001_inbox is done.\n')
  expect(await billing.migrate(db)).toEqual([])
  await expect(inbox('sql', '--rule', 'me')).rejects.toMatchObject({ code: 2 })
})
