import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { connect } from '@product-events/database'
import { freePort, freshDatabase, localCredentials } from '@product-events/local'
import type pg from 'pg'
import { connectSqs, findQueueUrl } from '@product-events/queue'
import { webhookServer } from '../../services/notification-service/channels/testing/receivers.ts'
import { type SqsFront, startSqsFront } from '../faults/sqs-front.ts'
import { startTcpProxy, type TcpProxy } from '../faults/tcp-proxy.ts'
import { createService, type Service } from '../stack.ts'
import { type Prometheus, startPrometheus } from './prometheus.ts'

/** Both services, watched by a Prometheus, with a webhook, and with all around them that may fail. */
export interface WatchedStack {
  products: Service
  notifications: Service
  prometheus: Prometheus
  /** What product-service sees of PostgreSQL. */
  postgresNetwork: TcpProxy
  /** What both services see of SQS: the network leads to the front. */
  sqsNetwork: TcpProxy
  front: SqsFront
  /** What the webhook answers from now on. */
  webhookAnswers(status: number): void
  /** The database of product-service, past the network. */
  pool: pg.Pool
  /** Puts a message into the queue that no relay sent. */
  send(body: string): Promise<void>
  stop(): Promise<void>
}

export async function startWatchedStack(postgresUrl: string, sqsEndpoint: string): Promise<WatchedStack> {
  Object.assign(process.env, localCredentials)
  const opened = new AsyncDisposableStack()
  try {
    const proxy = async (targetPort: number) => {
      const network = await startTcpProxy({ port: await freePort(), targetPort })
      opened.defer(network.close)
      return network
    }
    const databaseUrl = new URL(await freshDatabase(postgresUrl))
    const pool = connect({
      databaseUrl: databaseUrl.href,
      applicationName: 'test',
      maxConnections: 2,
      onIdleError: () => {},
    })
    opened.defer(() => pool.end())
    const postgresNetwork = await proxy(Number(databaseUrl.port))
    const front = await startSqsFront({ port: await freePort(), endpoint: sqsEndpoint, onAccepted: () => {} })
    opened.defer(front.close)
    const sqsNetwork = await proxy(Number(new URL(front.endpoint).port))
    let status = 204
    const webhook = await webhookServer(() => status)
    opened.defer(webhook.close)

    const queueName = `watched-${randomUUID()}`
    const options = { postgresUrl, sqsEndpoint: `http://127.0.0.1:${sqsNetwork.port}` }
    databaseUrl.port = String(postgresNetwork.port)
    const products = await createService('product-service', queueName, { ...options, databaseUrl: databaseUrl.href })
    opened.defer(() => products.kill())
    const variables = await channels(webhook.port, opened)
    const notifications = await createService('notification-service', queueName, { ...options, variables })
    opened.defer(() => notifications.kill())
    await Promise.all([products.start(), notifications.start()])
    const prometheus = await startPrometheus({
      'product-service': new URL(products.metricsUrl).host,
      'notification-service': new URL(notifications.metricsUrl).host,
    })
    opened.defer(prometheus.stop)

    const sqs: SQSClient = connectSqs({
      endpoint: sqsEndpoint,
      region: localCredentials.AWS_REGION,
      requestTimeoutMs: 5_000,
      maxConnections: 2,
    })
    opened.defer(() => sqs.destroy())
    const queueUrl = await findQueueUrl(sqs, queueName)
    return {
      products,
      notifications,
      prometheus,
      postgresNetwork,
      sqsNetwork,
      front,
      webhookAnswers: (next) => void (status = next),
      pool,
      send: async (body) => void (await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }))),
      stop: () => opened.disposeAsync(),
    }
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}

/** The variables that make notification-service deliver to one webhook on this machine. */
async function channels(port: number, opened: AsyncDisposableStack): Promise<Record<string, string>> {
  const dir = await mkdtemp('/tmp/watched-stack-')
  opened.defer(() => rm(dir, { recursive: true, force: true }))
  const webhooks = [{ name: 'erp', url: `http://localhost:${port}/`, secret_env: 'ERP_SECRET' }]
  await writeFile(`${dir}/channels.json`, JSON.stringify({ webhooks, allow_hosts: ['localhost'] }))
  return { CHANNELS_FILE: `${dir}/channels.json`, ERP_SECRET: `whsec_${randomBytes(32).toString('base64')}` }
}
