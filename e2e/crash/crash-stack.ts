import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { GetQueueAttributesCommand, SetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { connect } from '@product-events/database'
import { createDatabase, freePort, localCredentials, type Part, startPostgres, startSqs } from '@product-events/local'
import pg from 'pg'
import { connectSqs, findOrCreateQueue } from '@product-events/queue'
import { type CallFault, type EntryFault, type SqsFront, startSqsFront } from '../faults/sqs-front.ts'
import { startTcpProxy, type TcpProxy } from '../faults/tcp-proxy.ts'
import { keepRunning, type Member } from './keep-running.ts'
import { demandPassword, type Password } from './password.ts'
import { startPooler } from './pooler.ts'
import { type Receivers, startReceivers } from './receivers.ts'
import type { Watched } from './onlooker.ts'
import { keepServices } from './services.ts'

/**
 * What a killed server process leaves in the system's cache is there for the next one, so nothing waits for the disk.
 * What it has not written yet would be gone: synchronous_commit stays on.
 */
const settings = { fsync: 'off', max_connections: '200' }
/**
 * A message in the hands of a consumer that was killed comes back after this, so a round ends soon after its faults.
 */
const VISIBILITY_TIMEOUT_SECONDS = 5
/**
 * Consumers die here more often in a minute than elsewhere in a year: that alone must make no message a dead letter.
 */
const MAX_RECEIVE_COUNT = 100
/** The services' own role: it owns their databases, and may lose a right, as a superuser can not. */
const ROLE = 'app'

/** Everything as real processes, each started again when it ends, behind networks and an SQS that fail on demand. */
export interface CrashStack {
  members: Member[]
  networks: Record<'PostgreSQL' | 'SQS', TcpProxy>
  front: SqsFront
  /** The APIs of product-service. */
  urls: string[]
  /** Every service, as its operators see it. */
  watched: Watched[]
  receivers: Receivers
  password: Password
  /** The role by which the services sign in to PostgreSQL. */
  role: string
  /** Of the superuser, past every fault, without a database. */
  postgresUrl: string
  /** Past every fault, as superuser: for looking on, and for doing harm. */
  direct: { products: pg.Pool; notifications: pg.Pool; sqs: SQSClient; queueUrl: string }
  /** What each process logged last, by its name. */
  logs: Map<string, string[]>
  /** Resolves once every service says that it is ready. */
  ready(): Promise<void>
  stop(): Promise<void>
}

export interface CrashStackOptions {
  fifo: boolean
  /** The command of the PgBouncer through which the services reach PostgreSQL; without it they go there directly. */
  pgbouncer: string | undefined
  onAccepted: (body: string) => void
  onFault: (fault: CallFault | EntryFault) => void
  onSurprise: (what: string) => void
}

/** Starts a dependency, again whenever it ends, until the stack stops. */
type Keep = (kind: Member['kind'], start: () => Part | Promise<Part>) => Promise<Member>

export async function startCrashStack(options: CrashStackOptions): Promise<CrashStack> {
  const { fifo, pgbouncer, onAccepted, onFault, onSurprise } = options
  const opened = new AsyncDisposableStack()
  const logs = new Map<string, string[]>()
  // Not below os.tmpdir(): it may be one that only its owner can enter, and PostgreSQL may run as another user.
  const dir = await mkdtemp('/tmp/product-events-crash-')
  await chmod(dir, 0o755)
  opened.defer(() => rm(dir, { recursive: true, force: true }))

  const keep: Keep = async (kind, start) => {
    const member = await keepRunning({ kind, name: kind, start, onSurprise })
    opened.defer(member.stop)
    return member
  }

  try {
    const [postgresPort, sqsPort] = [await freePort(), await freePort()]
    const postgres = await keep('PostgreSQL', () =>
      startPostgres({ dataDir: `${dir}/postgres`, port: postgresPort, settings, detached: true }),
    )
    const emulator = await keep('SQS', () => startSqs({ port: sqsPort, dataDir: `${dir}/sqs`, detached: true }))
    const postgresUrl = `postgres://postgres@127.0.0.1:${postgresPort}`
    const password = await demandPassword(postgresUrl, { role: ROLE, dir, pooled: pgbouncer !== undefined })
    const direct = await openDirect(postgresUrl, sqsPort, fifo, opened)

    const endpoint = `http://127.0.0.1:${sqsPort}`
    const front = await startSqsFront({ port: await freePort(), endpoint, onAccepted, onFault })
    opened.defer(front.close)
    const pooler = pgbouncer === undefined ? undefined : await keepPooler(keep, pgbouncer, { dir, postgresPort })
    const networks = await openNetworks(pooler?.port ?? postgresPort, Number(new URL(front.endpoint).port), opened)

    const receivers = await startReceivers(dir)
    opened.defer(receivers.close)

    const around = {
      databaseUrl: `postgres://${ROLE}@127.0.0.1:${networks.PostgreSQL.port}`,
      sqsEndpoint: `http://127.0.0.1:${networks.SQS.port}`,
      queueName: direct.queueName,
      password,
      receivers,
      logs,
      onSurprise,
    }
    const services = await keepServices(around, opened)
    return {
      members: [postgres, emulator, ...(pooler ? [pooler.member] : []), ...services.map(({ member }) => member)],
      networks,
      front,
      urls: services.filter(({ member }) => member.kind === 'API').map(({ url }) => url),
      watched: services,
      receivers,
      password,
      role: ROLE,
      postgresUrl,
      direct,
      logs,
      ready: async () => void (await Promise.all(services.map(({ ready }) => ready()))),
      stop: () => opened.disposeAsync(),
    }
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}

async function keepPooler(keep: Keep, command: string, on: { dir: string; postgresPort: number }) {
  const port = await freePort()
  const member = await keep('PgBouncer', () => startPooler({ ...on, command, port, role: ROLE }))
  return { member, port }
}

/** The services' ways to PostgreSQL and to SQS, which fail on demand. */
async function openNetworks(databasePort: number, sqsPort: number, opened: AsyncDisposableStack) {
  const networks = {
    PostgreSQL: await startTcpProxy({ port: await freePort(), targetPort: databasePort }),
    SQS: await startTcpProxy({ port: await freePort(), targetPort: sqsPort }),
  }
  opened.defer(networks.PostgreSQL.close)
  opened.defer(networks.SQS.close)
  return networks
}

/** A look at a whole history, on a machine that is busy with the round. */
const LOOK_MS = 60_000

async function openDirect(postgresUrl: string, sqsPort: number, fifo: boolean, opened: AsyncDisposableStack) {
  Object.assign(process.env, localCredentials)
  const open = async (name: string) => {
    const databaseUrl = await createDatabase(postgresUrl, name)
    await ownDatabase(databaseUrl, name)
    const onlooker = { applicationName: 'onlooker', maxConnections: 6, timeoutMs: LOOK_MS, onIdleError: () => {} }
    const pool = connect({ databaseUrl, ...onlooker })
    opened.defer(() => pool.end())
    return pool
  }
  const sqs = connectSqs({
    endpoint: `http://127.0.0.1:${sqsPort}`,
    region: localCredentials.AWS_REGION,
    requestTimeoutMs: 5_000,
    maxConnections: 2,
  })
  opened.defer(() => sqs.destroy())
  const queue = await findOrCreateQueue(sqs, fifo ? 'crash.fifo' : 'crash')
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: ['RedrivePolicy'] }),
  )
  const policy = JSON.parse(Attributes?.RedrivePolicy ?? '{}') as object
  await sqs.send(
    new SetQueueAttributesCommand({
      QueueUrl: queue.url,
      Attributes: {
        VisibilityTimeout: String(VISIBILITY_TIMEOUT_SECONDS),
        RedrivePolicy: JSON.stringify({ ...policy, maxReceiveCount: MAX_RECEIVE_COUNT }),
      },
    }),
  )
  const [products, notifications] = [await open('products'), await open('notifications')]
  return { products, notifications, sqs, queueUrl: queue.url, queueName: queue.name }
}

/** Makes the database the services' own: they migrate it, and lose rights on it. */
async function ownDatabase(databaseUrl: string, name: string): Promise<void> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  await client.query(`ALTER DATABASE ${name} OWNER TO ${ROLE}`)
  await client.end()
}
