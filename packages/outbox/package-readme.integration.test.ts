import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { freshDatabase, freshQueue } from '@product-events/local'
import pg from 'pg'
import { expect, inject, test } from 'vitest'
import { createOutbox } from './index.ts'
import { use, useTesting } from './testing/readme.ts'

const read = (file: string) => readFileSync(join(import.meta.dirname, file), 'utf8')
const dedent = (text: string) => text.replaceAll(new RegExp(`^${/^ */.exec(text)?.[0]}`, 'gm'), '')

test('the programs of the README are the ones that the compiler checks and the tests run, to the letter', () => {
  const inReadme = [...read('README.md').matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code)
  const checked = [...read('testing/readme.ts').matchAll(/\/\/ #region \w+\n([^]*?)^ *\/\/ #endregion/gm)]
  expect(inReadme).toEqual(checked.map(([, code = '']) => dedent(code)))
  expect(inReadme[0]!.trim().split('\n').length, 'short enough to be read').toBeLessThanOrEqual(15)
})

test('the program at the top of the README sends its event', async () => {
  const databaseUrl = await freshDatabase(inject('postgresUrl'))
  const client = new pg.Client(databaseUrl)
  await client.connect()
  await client.query(`CREATE TABLE orders (id text, paid boolean)`)
  await client.query(`INSERT INTO orders VALUES ('7', false)`)
  const { sqs, queue } = await freshQueue(inject('sqsEndpoint'))
  const { pool, running, stop } = await use(databaseUrl, sqs, queue.url, '7')
  const receive = new ReceiveMessageCommand({ QueueUrl: queue.url, WaitTimeSeconds: 10 })
  const { Messages = [] } = await sqs.send(receive)
  expect(Messages.map(({ Body }) => JSON.parse(Body!) as unknown)).toEqual([{ id: '7' }])
  expect((await client.query('SELECT paid FROM orders')).rows).toEqual([{ paid: true }])
  stop.abort()
  await running
  await Promise.all([pool.end(), client.end()])
  sqs.destroy()
})

test('the test of the README passes', async () => {
  const pool = new pg.Pool({ connectionString: await freshDatabase(inject('postgresUrl')) })
  await createOutbox().migrate(pool)
  await useTesting(pool, expect)
  expect((await pool.query('SELECT status FROM outbox.events')).rows).toEqual([{ status: 'processed' }])
  await pool.end()
})

test('the README tells every option of createRelay with the default that it has', () => {
  const options = [...read('README.md').matchAll(/^\| `(\w+)` \| (?:(\d+) \|)?/gm)].map(([, name, value]) =>
    `${name} ${value ?? ''}`.trim(),
  )
  const source = read('relay.ts')
  const declared = /interface RelayOptions {([^]*?)^}/m.exec(source)?.[1] ?? ''
  const names = [...declared.matchAll(/^ {2}(\w+)\??:/gm)].map(([, name = '']) => name)
  const defaultOf = (name: string) => {
    const constant = new RegExp(`\\b${name} = ([A-Z_]+)`).exec(source)?.[1]
    return constant === undefined
      ? ''
      : (new RegExp(`const ${constant} = ([\\d_]+)`).exec(source)?.[1]?.replace('_', '') ?? '')
  }
  expect(names.length).toBeGreaterThan(5)
  expect(options.toSorted()).toEqual(names.map((name) => `${name} ${defaultOf(name)}`.trim()).toSorted())
})
