import { freshDatabase } from '@product-events/local'
import type pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { connect, transaction } from './index.ts'

let pool: pg.Pool
beforeAll(async () => {
  const databaseUrl = await freshDatabase(inject('postgresUrl'))
  pool = connect({ databaseUrl, applicationName: 'test', maxConnections: 2, onIdleError: () => {} })
  await pool.query('CREATE TABLE notes (text text NOT NULL)')
})
afterAll(() => pool.end())

const notes = async () => (await pool.query<{ text: string }>('SELECT text FROM notes')).rows.map((row) => row.text)

test('what work did is there once the promise resolves', async () => {
  const result = await transaction(pool, async (tx) => {
    await tx.query(`INSERT INTO notes VALUES ('kept')`)
    return 42
  })
  expect(result).toBe(42)
  expect(await notes()).toEqual(['kept'])
})

test('nothing of it is there when work throws, and the connection can be used again', async () => {
  const failed = transaction(pool, async (tx) => {
    await tx.query(`INSERT INTO notes VALUES ('lost')`)
    throw new Error('changed my mind')
  })
  await expect(failed).rejects.toThrow('changed my mind')
  expect(await notes()).toEqual(['kept'])
})

test('a statement that failed and was swallowed fails the whole, because the server answers COMMIT with ROLLBACK', async () => {
  const swallowed = transaction(pool, async (tx) => {
    await tx.query(`INSERT INTO notes VALUES ('lost')`)
    await tx.query('SELECT 1/0').catch(() => {})
  })
  await expect(swallowed).rejects.toThrow('rolled back')
  expect(await notes()).toEqual(['kept'])
})

test('a connection that is cut off in the middle fails its transaction and no other', async () => {
  const cut = transaction(pool, async (tx) => {
    await tx.query(`INSERT INTO notes VALUES ('lost')`)
    await tx.query('SELECT pg_terminate_backend(pg_backend_pid())').catch(() => {})
    await tx.query('SELECT 1')
  })
  await expect(cut).rejects.toThrow('terminat')
  expect(await notes()).toEqual(['kept'])
})
