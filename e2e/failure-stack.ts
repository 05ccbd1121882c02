import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
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

/** Whether this process may mount a disk: root, and not everywhere. */
export const canMount = process.platform === 'linux' && process.getuid?.() === 0 && mounts()
/** A message that was handed to a connection that is cut comes back after this: tests need not wait the usual 30 s. */
const VISIBILITY_TIMEOUT_SECONDS = 5
/** `nobody`, as whom PostgreSQL runs when this process is root. */
const NOBODY = '65534:65534'

export async function startFailureStack(sqsEndpoint: string): Promise<FailureStack> {
  Object.assign(process.env, localCredentials)
  const opened = new AsyncDisposableStack()
  const dir = await mkdtemp('/tmp/product-events-failures-')
  await chmod(dir, 0o755) // the server may run as another user
  opened.defer(() => rm(dir, { recursive: true, force: true }))

  const port = await freePort()
  const start = () => startPostgres({ dataDir: `${dir}/postgres`, port })
  let disk: string | undefined
  opened.defer(() => void (disk && execFileSync('umount', ['--lazy', disk])))
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
    async startRelay() {
      const metricsPort = await freePort()
      const relay = startService('product-service', {
        main: `${import.meta.dirname}/../services/product-service/relay-main.ts`,
        databaseUrl,
        sqsEndpoint: behindNetwork,
        queueName,
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
    },
    async mountDisk(size) {
      const point = `${dir}/disk`
      await mkdir(point)
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0777`, 'tmpfs', point])
      disk = point
      await mkdir(`${point}/tables`, { mode: 0o700 })
      execFileSync('chown', [NOBODY, `${point}/tables`])
      return `${point}/tables`
    },
    stop: () => opened.disposeAsync(),
  }
}

/** Tried in a namespace of its own, which takes the mount away with it. */
function mounts(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
