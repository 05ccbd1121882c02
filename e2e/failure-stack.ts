import { randomUUID } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { SetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { connect } from '@product-events/database'
import {
  freePort,
  localCredentials,
  type LocalPostgres,
  type Part,
  startPostgres,
  startService,
  untilReady,
} from '@product-events/local'
import type pg from 'pg'
import { connectSqs, findQueueUrl } from '@product-events/queue'
import { createSmallDisk } from './faults/small-disk.ts'
import { type SqsFront, startSqsFront } from './faults/sqs-front.ts'
import { startTcpProxy, type TcpProxy } from './faults/tcp-proxy.ts'
import { type Stack, startStack } from './stack.ts'

/** Both services on a PostgreSQL of their own, behind a network to an SQS that may both fail. */
export interface FailureStack extends Stack {
  /** The running PostgreSQL: kill it, and `startPostgres` brings it back. */
  postgres(): LocalPostgres
  startPostgres(): Promise<void>
  front: SqsFront
  network: TcpProxy
  /** The bodies of the messages that SQS accepted, in that order. */
  accepted: string[]
  /** The database of product-service. */
  pool: pg.Pool
  /** Past the network. */
  sqs: SQSClient
  queueName: string
  queueUrl: string
  /** For how long a received message is hidden from now on; the usual time of this stack unless given. */
  hideFor(seconds?: number): Promise<void>
  /** One more relay, ready. */
  startRelay(): Promise<Part>
  /** A folder on a disk of `size` (`mount`'s notation) that the server may write to. Only where `canMount`. */
  mountDisk(size: string): Promise<string>
}

/** A message that was handed to a connection that is cut comes back after this: tests need not wait the usual 30 s. */
const VISIBILITY_TIMEOUT_SECONDS = 5

export async function startFailureStack(sqsEndpoint: string): Promise<FailureStack> {
  Object.assign(process.env, localCredentials)
  const opened = new AsyncDisposableStack()
  const dir = await mkdtemp('/tmp/product-events-failures-')
  await chmod(dir, 0o755) // the server may run as another user
  opened.defer(() => rm(dir, { recursive: true, force: true }))

  const port = await freePort()
  const start = () => startPostgres({ dataDir: `${dir}/postgres`, port })
  const disk = createSmallDisk(`${dir}/disk`)
  opened.defer(disk.unmount)
  let postgres = await start()
  opened.defer(() => postgres.stop())

  const accepted: string[] = []
  const onAccepted = (body: string) => void accepted.push(body)
  const front = await startSqsFront({ port: await freePort(), endpoint: sqsEndpoint, onAccepted })
  opened.defer(front.close)
  const network = await startTcpProxy({ port: await freePort(), targetPort: Number(new URL(front.endpoint).port) })
  opened.defer(network.close)

  const queueName = `failures-${randomUUID()}`
  const behindNetwork = `http://127.0.0.1:${network.port}`
  const stack = await startStack({ postgresUrl: postgres.url, sqsEndpoint: behindNetwork, queueName })
  opened.defer(async () => void (await Promise.all([stack.products.kill(), stack.notifications.kill()])))
  const { databaseUrl } = stack.products
  const pool = connect({ databaseUrl, applicationName: 'test', maxConnections: 2, onIdleError: () => {} })
  opened.defer(() => pool.end())
  const { AWS_REGION: region } = localCredentials
  const sqs = connectSqs({ endpoint: sqsEndpoint, region, requestTimeoutMs: 5_000, maxConnections: 2 })
  opened.defer(() => sqs.destroy())
  const queueUrl = (await findQueueUrl(sqs, queueName)) ?? ''
  async function hideFor(seconds = VISIBILITY_TIMEOUT_SECONDS): Promise<void> {
    const Attributes = { VisibilityTimeout: String(seconds) }
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl: queueUrl, Attributes }))
  }
  await hideFor()

  return {
    ...stack,
    front,
    network,
    accepted,
    pool,
    sqs,
    queueName,
    queueUrl,
    hideFor,
    postgres: () => postgres,
    async startPostgres() {
      postgres = await start()
    },
    startRelay: () => startRelay({ databaseUrl, sqsEndpoint: behindNetwork, queueName }, opened),
    mountDisk: disk.mount,
    stop: () => opened.disposeAsync(),
  }
}

/** A relay without an API, which ends with the stack. */
async function startRelay(
  on: { databaseUrl: string; sqsEndpoint: string; queueName: string },
  opened: AsyncDisposableStack,
): Promise<Part> {
  const metricsPort = await freePort()
  const relay = startService('product-service', {
    ...on,
    main: `${import.meta.dirname}/../services/product-service/relay-main.ts`,
    httpPort: await freePort(),
    metricsPort,
    logLevel: 'info',
    onLine: () => {},
  })
  opened.defer(async () => {
    relay.kill()
    await relay.stop()
  })
  await untilReady(relay, metricsPort)
  return relay
}
