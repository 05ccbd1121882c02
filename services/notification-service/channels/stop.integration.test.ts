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

test.each([
  ['answers 101', (socket: Socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n')],
  ['sends interim answers without end', (socket: Socket) => writeForEver(socket, 'HTTP/1.1 100 Continue\r\n\r\n')],
  ['never answers', () => {}],
])(
  'told to stop while a receiver %s and a mail server is silent, the process exits with 0 within 10 s',
  async (_, answer) => {
    const t = await testConsumer({ postgresUrl: inject('postgresUrl'), sqsEndpoint: inject('sqsEndpoint'), fifo: true })
    opened.push(t.close)
    const receiver = await rawReceiver(answer)
    const mail = await rawReceiver(() => {})
    opened.push(receiver.close, mail.close)
    const dir = await mkdtemp('/tmp/channels-test-')
    opened.push(() => rm(dir, { recursive: true, force: true }))
    const file = {
      webhooks: [{ name: 'odd', url: `http://localhost:${receiver.port}/`, secret_env: 'ODD_SECRET' }],
      email: { smtp_url_env: 'SMTP_URL', from: 'shop@example.com', to: ['a@example.com', 'b@example.com'] },
      allow_hosts: ['localhost'],
    }
    await writeFile(`${dir}/channels.json`, JSON.stringify(file))
    const service = await spawnService({
      DATABASE_URL: t.databaseUrl,
      SQS_QUEUE_NAME: t.queueName,
      AWS_ENDPOINT_URL_SQS: inject('sqsEndpoint'),
      CHANNELS_FILE: `${dir}/channels.json`,
      ODD_SECRET: newSecret(),
      SMTP_URL: `smtp://localhost:${mail.port}`,
    })
    opened.push(service.end)
    await service.ready()
    const events = Array.from({ length: 30 }, () => testEvent())
    for (const event of events) await t.send([event], event.subject)
    await expect.poll(() => receiver.requests() > 8 && mail.connections() > 0, patiently).toBe(true)
    const from = performance.now()
    service.kill('SIGTERM')
    expect(await service.exit).toEqual([0, null])
    expect(performance.now() - from).toBeLessThan(10_000)
    expect(service.stderr()).toBe('')
    // The state of the endpoint was said once, not once a try.
    const refused = service.logged('endpoint refuses deliveries').map((line) => line.endpoint)
    expect(refused.filter((endpoint) => endpoint === 'webhook:odd').length).toBeLessThanOrEqual(1)
    // The end of the process is no refusal of the mail server.
    expect(refused).not.toContain('email:smtp')
  },
)
