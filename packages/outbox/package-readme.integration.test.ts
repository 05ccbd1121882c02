import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { freshDatabase, freshQueue, localCredentials, machineVariables } from '@product-events/local'
import pg from 'pg'
import { expect, inject, test } from 'vitest'
import { createOutbox } from './index.ts'
import { useTesting } from './testing/readme.ts'

const read = (file: string) => readFileSync(join(import.meta.dirname, file), 'utf8')
const dedent = (text: string) => text.replaceAll(new RegExp(`^${/^ */.exec(text)?.[0]}`, 'gm'), '')

test('the programs of the README are the ones that the compiler checks and the tests run, to the letter', () => {
  const inReadme = [...read('README.md').matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code)
  const source = read('testing/program.ts') + read('testing/readme.ts')
  const checked = [...source.matchAll(/\/\/ #region \w+\n([^]*?)^ *\/\/ #endregion/gm)]
  expect(inReadme).toEqual(checked.map(([, code = '']) => dedent(code)))
})

test('the program at the top of the README pays an order, publishes its event, and ends on SIGTERM', async () => {
  const databaseUrl = await freshDatabase(inject('postgresUrl'))
  const client = new pg.Client(databaseUrl)
  await client.connect()
  await client.query(`CREATE TABLE orders (id text, paid boolean); INSERT INTO orders VALUES ('order-7', false)`)
  const { sqs, queue } = await freshQueue(inject('sqsEndpoint'))
  const child = spawn(process.execPath, [join(import.meta.dirname, 'testing/program.ts')], {
    stdio: 'inherit',
    env: {
      ...machineVariables(),
      ...localCredentials,
      DATABASE_URL: databaseUrl,
      SQS_QUEUE_URL: queue.url,
      AWS_ENDPOINT_URL_SQS: inject('sqsEndpoint'),
    },
  })
  const exit = once(child, 'exit')
  const receive = new ReceiveMessageCommand({ QueueUrl: queue.url, WaitTimeSeconds: 20 })
  const { Messages = [] } = await sqs.send(receive)
  expect(Messages.map(({ Body }) => JSON.parse(Body!) as unknown)).toEqual([{ orderId: 'order-7', amount: 12.5 }])
  expect((await client.query('SELECT paid FROM orders')).rows).toEqual([{ paid: true }])
  child.kill('SIGTERM')
  expect(await exit).toEqual([0, null])
  await client.end()
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
