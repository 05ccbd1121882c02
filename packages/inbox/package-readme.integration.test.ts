import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { localCredentials, machineVariables } from '@product-events/local'
import { expect, inject, test, vi } from 'vitest'
import { testInbox } from './testing/inbox.ts'

const read = (file: string) => readFileSync(join(import.meta.dirname, file), 'utf8')

test('the program of the README is the one that the compiler checks and the next test runs, to the letter', () => {
  const [, inReadme] = /^```ts\n([^]*?)^```$/m.exec(read('README.md')) ?? []
  const [, checked] = /\/\/ #region program\n([^]*?)^\/\/ #endregion/m.exec(read('testing/readme.ts')) ?? []
  expect(inReadme).toBe(checked)
})

test('the program of the README makes one invoice of each paid order and ends on SIGTERM', async () => {
  const t = await testInbox()
  const child = spawn(process.execPath, [join(import.meta.dirname, 'testing/readme.ts')], {
    stdio: 'inherit',
    env: {
      ...machineVariables(),
      ...localCredentials,
      DATABASE_URL: t.databaseUrl,
      SQS_QUEUE_URL: t.queue.url,
      AWS_ENDPOINT_URL_SQS: inject('sqsEndpoint'),
    },
  })
  const exit = once(child, 'exit')
  try {
    const data = { orderId: 'order-7', amount: 12.5 }
    const event = { specversion: '1.0', id: randomUUID(), source: '/shop', type: 'order.paid', data }
    await t.send([event, event])
    await vi.waitFor(async () => expect(await t.invoices()).toEqual(['order-7']), { timeout: 50_000 })
    await vi.waitFor(async () => expect(await t.depth()).toEqual({ visible: 0, hidden: 0 }), { timeout: 50_000 })
    child.kill('SIGTERM')
    expect(await exit).toEqual([0, null])
  } finally {
    child.kill('SIGKILL')
    await exit
    await t.close()
  }
})

test('the README names every option, with its default', () => {
  const readme = read('README.md')
  const options = ['handlers', 'samples', 'ignoreStale', 'handlerTimeoutMs', 'receivers', 'report', 'tracing', 'parse']
  for (const option of options) expect(readme).toMatch(new RegExp(`^\\| \`${option}\` +\\|`, 'm'))
  const source = read('inbox.ts') + read('limits.ts')
  expect(source).toContain('HANDLER_TIMEOUT_MS = 30_000')
  expect(source).toContain('MAX_RECEIVERS = 16')
})

test('the printed SQL makes the schema that migrate expects: nothing is due afterwards', async () => {
  const t = await testInbox()
  const { createInbox } = await import('./index.ts')
  const other = createInbox({ schema: 'Other "schema"', consumer: 'x' })
  await t.pool.query('CREATE ROLE inbox_reader').catch(() => {})
  await t.pool.query(other.sql('inbox_reader'))
  expect(await other.migrate(t.pool)).toEqual([])
  expect(await t.inbox.migrate(t.pool)).toEqual([])
  await t.pool.query('DROP OWNED BY inbox_reader')
  await t.close()
})
