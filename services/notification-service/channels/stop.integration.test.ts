import type { Socket } from 'node:net'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { afterEach, expect, inject, test } from 'vitest'
import { testConsumer, testEvent } from '../testing/consumer.ts'
import { spawnService } from '../testing/process.ts'
import { newSecret } from './testing/receivers.ts'
import { rawReceiver, writeForEver } from './testing/raw-receiver.ts'

const patiently = { timeout: 25_000, interval: 50 }

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

const answers: [name: string, answer: (socket: Socket) => void][] = [
  ['switches-protocols', (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n')],
  ['endless', (socket) => writeForEver(socket, 'HTTP/1.1 100 Continue\r\n\r\n')],
  ['silent', () => {}],
]

test('told to stop while receivers answer 101, send interim answers without end or never answer, and a mail server is silent, the process exits with 0 within 10 s', async () => {
  const t = await testConsumer({ postgresUrl: inject('postgresUrl'), sqsEndpoint: inject('sqsEndpoint'), fifo: true })
  opened.push(t.close)
  const receivers = await Promise.all(answers.map(([, answer]) => rawReceiver(answer)))
  const mail = await rawReceiver(() => {})
  opened.push(mail.close, ...receivers.map(({ close }) => close))
  const dir = await mkdtemp('/tmp/channels-test-')
  opened.push(() => rm(dir, { recursive: true, force: true }))
  const file = {
    webhooks: receivers.map(({ port }, index) => ({
      name: answers[index]![0],
      url: `http://localhost:${port}/`,
      secret_env: 'SECRET',
    })),
    email: { smtp_url_env: 'SMTP_URL', from: 'shop@example.com', to: ['a@example.com', 'b@example.com'] },
    allow_hosts: ['localhost'],
  }
  await writeFile(`${dir}/channels.json`, JSON.stringify(file))
  const service = await spawnService({
    DATABASE_URL: t.databaseUrl,
    SQS_QUEUE_NAME: t.queueName,
    AWS_ENDPOINT_URL_SQS: inject('sqsEndpoint'),
    CHANNELS_FILE: `${dir}/channels.json`,
    SECRET: newSecret(),
    SMTP_URL: `smtp://localhost:${mail.port}`,
  })
  opened.push(service.end)
  await service.ready()
  const events = Array.from({ length: 30 }, () => testEvent())
  for (const event of events) await t.send([event], event.subject)
  for (const receiver of receivers) await expect.poll(receiver.requests, patiently).toBeGreaterThan(8)
  await expect.poll(mail.connections, patiently).toBeGreaterThan(0)
  const from = performance.now()
  service.kill('SIGTERM')
  expect(await service.exit).toEqual([0, null])
  expect(performance.now() - from).toBeLessThan(10_000)
  expect(service.stderr()).toBe('')
  // The state of an endpoint was said once, not once a try.
  const refused = service.logged('endpoint refuses deliveries').map((line) => String(line.endpoint))
  expect(refused).toHaveLength(new Set(refused).size)
  // The end of the process does not count as a refusal of the mail server.
  expect(refused).not.toContain('email:smtp')
})
