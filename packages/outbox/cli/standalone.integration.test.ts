import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freshDatabase, machineVariables } from '@product-events/local'
import { expect, inject, test } from 'vitest'
import { createOutbox } from '../index.ts'
import { alone, connectForTest, newEvent } from '../testing/outbox.ts'

const run = promisify(execFile)
const bin = join(import.meta.dirname, '../bin.ts')
const outbox = (line: string, DATABASE_URL?: string) =>
  run(process.execPath, [bin, ...line.split(' ')], {
    env: { ...machineVariables(), ...(DATABASE_URL && { DATABASE_URL }) },
  })

test('npx outbox prints the SQL, makes the tables and shows the events of a schema', async () => {
  const databaseUrl = await freshDatabase(inject('postgresUrl'))
  const shop = createOutbox({ schema: 'shop' })
  expect((await outbox('sql --schema shop --grants a,b')).stdout).toBe(shop.sql({ writer: 'a', relay: 'b' }))
  expect((await outbox('sql --schema shop --from 2')).stdout).toBe(shop.sql({ from: 2 }))
  await expect(outbox('status --schema shop', databaseUrl)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/ has no outbox in the schema shop \(relation "shop\.events" does not exist\)/),
  })
  expect((await outbox('migrate --schema shop', databaseUrl)).stdout).toMatch(/^0001_outbox is done\.\n/)
  expect((await outbox('migrate --schema shop', databaseUrl)).stdout).toBe('Nothing is due.\n')
  const db = connectForTest(databaseUrl)
  await shop.append(alone(db), [newEvent('order-7')])
  await db.end()
  expect((await outbox('list --schema shop --status pending', databaseUrl)).stdout).toContain('order-7')
})

test.each([
  ['migrate', 1, 'DATABASE_URL is missing'],
  ['sql --from 99', 2, '--from must be a whole number from 1 to'],
  ['sql --grants a,b,c', 2, '--grants must be the names of two roles'],
])('npx outbox refuses: %s', async (line, code, stderr) => {
  await expect(outbox(line)).rejects.toMatchObject({ code, stderr: expect.stringContaining(stderr) })
})
