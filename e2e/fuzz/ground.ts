import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { SetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { localCredentials } from '@product-events/local'
import { connectSqs, deadLetterQueueName, findOrCreateQueue, findQueueUrl } from '@product-events/queue'
import pg from 'pg'
import { startStack } from '../stack.ts'
import { createPulse } from './pulse.ts'
import { startHostileReceiver } from './receivers/hostile-receiver.ts'
import type { Receivers } from './receivers/run.ts'
import type { Target } from './surface.ts'

const QUEUE = 'fuzzed'
/** Five receives of a hostile message are over within seconds. */
const VISIBILITY_TIMEOUT_SECONDS = 1
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

export interface Ground {
  target: Target
  receivers: Receivers
  stop(): Promise<void>
}

/** Both services as processes, with one hostile webhook and one that is well. */
export async function startFuzzGround(server: { postgresUrl: string; sqsEndpoint: string }): Promise<Ground> {
  const opened = new AsyncDisposableStack()
  try {
    const receivers = await startReceivers(opened)
    const variables = await channelVariables(receivers, opened)
    const queue = await prepareQueue(server.sqsEndpoint, opened)
    const stack = await startStack({ ...server, queueName: QUEUE, variables })
    opened.defer(stack.stop)
    const { products, notifications } = stack
    const connect = (connectionString: string) => {
      const pool = new pg.Pool({ connectionString, max: 2 })
      pool.on('error', () => {})
      opened.defer(() => pool.end())
      return pool
    }
    const target: Target = {
      products,
      notifications,
      productsDb: connect(products.databaseUrl),
      notificationsDb: connect(notifications.databaseUrl),
      ...queue,
      pulse: createPulse([
        `${products.metricsUrl}/health/live`,
        `${notifications.metricsUrl}/health/live`,
        `${products.url}/products?limit=1`,
        `${notifications.url}/notifications?limit=1`,
      ]),
    }
    return { target, receivers: receivers.ears, stop: () => opened.disposeAsync() }
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}

async function startReceivers(opened: AsyncDisposableStack) {
  const hostile = await startHostileReceiver()
  opened.defer(hostile.close)
  const received: string[] = []
  const well = createServer((request, response) => {
    const take = async () => {
      received.push(await text(request))
      response.writeHead(204).end()
    }
    // The service went away in the middle: it comes again.
    take().catch(() => request.destroy())
  }).listen(0, '127.0.0.1')
  await once(well, 'listening')
  opened.defer(() => {
    well.closeAllConnections()
    well.close()
  })
  return { ears: { hostile, received }, wellPort: (well.address() as AddressInfo).port }
}

async function channelVariables(
  { ears, wellPort }: Awaited<ReturnType<typeof startReceivers>>,
  opened: AsyncDisposableStack,
): Promise<Record<string, string>> {
  const dir = await mkdtemp(join(tmpdir(), 'fuzz-'))
  opened.defer(() => rm(dir, { recursive: true, force: true }))
  const webhook = (name: string, port: number) => ({
    name,
    url: `http://127.0.0.1:${port}/hook`,
    secret_env: 'FUZZ_SECRET',
  })
  const file = join(dir, 'channels.json')
  await writeFile(
    file,
    JSON.stringify({
      webhooks: [webhook('hostile', ears.hostile.port), webhook('well', wellPort)],
      allow_hosts: ['127.0.0.1'],
    }),
  )
  return { CHANNELS_FILE: file, FUZZ_SECRET: SECRET }
}

async function prepareQueue(sqsEndpoint: string, opened: AsyncDisposableStack) {
  Object.assign(process.env, localCredentials)
  const sqs = connectSqs({
    endpoint: sqsEndpoint,
    region: localCredentials.AWS_REGION,
    requestTimeoutMs: 10_000,
    maxConnections: 4,
  })
  opened.defer(() => sqs.destroy())
  const { url: queueUrl } = await findOrCreateQueue(sqs, QUEUE)
  await sqs.send(
    new SetQueueAttributesCommand({
      QueueUrl: queueUrl,
      Attributes: { VisibilityTimeout: String(VISIBILITY_TIMEOUT_SECONDS) },
    }),
  )
  return { sqs, queueUrl, deadLetterUrl: (await findQueueUrl(sqs, deadLetterQueueName(QUEUE))) ?? '' }
}
