import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { SetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs'
import {
  freePort,
  freshQueue,
  localCredentials,
  machineVariables,
  startPostgres,
  startProgram,
  untilReady,
} from '@product-events/local'
import { deadLetterQueueName, findQueueUrl, type Queue } from '@product-events/queue'
import pg from 'pg'
import { createRoles, deploymentRoles } from '../../deploy/postgres/roles.ts'
import { rights } from '../../deploy/aws/rights.ts'
import { type RightsFront, startRightsFront } from '../faults/rights-front.ts'
import { startReceiver } from './receiver.ts'

/** Without a relay product-service makes no call; a test of its own starts it without an SQS. */
export type Role = Exclude<keyof typeof rights, 'product-service without a relay'>

/** The programs of a deployment, each as its own PostgreSQL user and behind its own front, with `MIGRATE=off`. */
export interface LeastRights {
  fronts: Record<Role, RightsFront>
  queue: Queue
  deadLetterUrl: string
  /** With every right. */
  sqs: SQSClient
  products: pg.Pool
  notifications: pg.Pool
  urls: Record<'product-service' | 'notification-service' | 'console', string>
  metrics: Record<Exclude<Role, 'commands' | 'console'>, string>
  /** The programs' lines above level info. */
  complaints: string[]
  /** A command of `operations/`, as the PostgreSQL user `console`. */
  command(name: string, ...args: string[]): Promise<{ code: number | null; out: string; err: string }>
  stop(): Promise<void>
}

const root = resolve(import.meta.dirname, '../..')
const mains = {
  'product-service': 'services/product-service/main.ts',
  relay: 'services/product-service/relay-main.ts',
  'notification-service': 'services/notification-service/main.ts',
  console: 'operations/console/main.ts',
} as const
const users = {
  'product-service': 'product_service',
  relay: 'product_relay',
  'notification-service': 'notification_service',
  console: 'console',
} as const
export const roles = [
  'product-service',
  'relay',
  'notification-service',
  'console',
  'commands',
] as const satisfies Role[]
/** Short, so that a message is soon extended while its event cannot be stored. */
const VISIBILITY_TIMEOUT_SECONDS = 3

export async function startLeastRights(sqsEndpoint: string): Promise<LeastRights> {
  const opened = new AsyncDisposableStack()
  const stop = () => opened.disposeAsync()
  try {
    return { ...(await start(sqsEndpoint, opened)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function start(sqsEndpoint: string, opened: AsyncDisposableStack): Promise<Omit<LeastRights, 'stop'>> {
  const databases = await startDatabases(opened)
  const { sqs, queue } = await freshQueue(sqsEndpoint)
  opened.defer(() => sqs.destroy())
  const Attributes = { VisibilityTimeout: String(VISIBILITY_TIMEOUT_SECONDS) }
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes }))
  const deadLetterName = deadLetterQueueName(queue.name)
  const names = { queueName: queue.name, deadLetterQueueName: deadLetterName }
  const fronts = {} as Record<Role, RightsFront>
  for (const role of roles) {
    fronts[role] = await startRightsFront({ endpoint: sqsEndpoint, ...names, rights: rights[role] })
    opened.defer(fronts[role].close)
  }
  const receiver = await startReceiver(databases.dir)
  opened.defer(receiver.close)
  const complaints: string[] = []
  const ports = await freePorts()
  const { urls, metrics } = addressesOf(ports)

  /** What the console and the commands read; a service reads its own part of it. */
  function variables(role: Role, user: string): Record<string, string> {
    return {
      AWS_ENDPOINT_URL_SQS: fronts[role].endpoint,
      SQS_QUEUE_URL: queue.url,
      MIGRATE: 'off',
      PRODUCTS_DATABASE_URL: databases.urlOf(user, 'products'),
      NOTIFICATIONS_DATABASE_URL: databases.urlOf(user, 'notifications'),
      PRODUCT_SERVICE_OPERATIONS_URL: metrics['product-service'],
      NOTIFICATION_SERVICE_OPERATIONS_URL: metrics['notification-service'],
    }
  }

  async function startRole(role: keyof typeof mains): Promise<void> {
    const { http, operations } = ports[role]
    const database = role === 'notification-service' ? 'notifications' : 'products'
    const part = startProgram(role, {
      main: join(root, mains[role]),
      preload: [],
      variables: {
        ...variables(role, users[role]),
        DATABASE_URL: databases.urlOf(users[role], database),
        HTTP_PORT: String(http),
        METRICS_PORT: String(operations),
        ...(role === 'notification-service' && receiver.variables),
      },
      onLine: (line) => void (/"level":"info"/.test(line) || complaints.push(`${role}: ${line}`)),
    })
    opened.defer(() => part.stop())
    await untilReady(part, role === 'console' ? http : operations)
  }
  await Promise.all((Object.keys(mains) as (keyof typeof mains)[]).map(startRole))

  return {
    fronts,
    queue,
    deadLetterUrl: (await findQueueUrl(sqs, deadLetterName)) ?? '',
    sqs,
    products: databases.pool('products'),
    notifications: databases.pool('notifications'),
    urls,
    metrics,
    complaints,
    command: (name, ...args) => run([join(root, `operations/${name}.ts`), ...args], variables('commands', 'console')),
  }
}

type Ports = Record<keyof typeof mains, { http: number; operations: number }>

async function freePorts(): Promise<Ports> {
  const ports = {} as Ports
  for (const role of Object.keys(mains) as (keyof typeof mains)[])
    ports[role] = { http: await freePort(), operations: await freePort() }
  return ports
}

function addressesOf(ports: Ports): Pick<LeastRights, 'urls' | 'metrics'> {
  const at = (port: number) => `http://127.0.0.1:${port}`
  return {
    urls: {
      'product-service': at(ports['product-service'].http),
      'notification-service': at(ports['notification-service'].http),
      console: at(ports.console.http),
    },
    metrics: {
      'product-service': at(ports['product-service'].operations),
      relay: at(ports.relay.operations),
      'notification-service': at(ports['notification-service'].operations),
    },
  }
}

/** A server with the users of `deploy/postgres/roles.ts`, migrated and granted as each rollout does it. */
async function startDatabases(opened: AsyncDisposableStack) {
  // Not below os.tmpdir(): it may be one that only its owner can enter, and PostgreSQL may run as another user.
  const dir = await mkdtemp('/tmp/product-events-rights-')
  opened.defer(() => rm(dir, { recursive: true, force: true }))
  await chmod(dir, 0o755)
  const postgres = await startPostgres({ dataDir: join(dir, 'postgres'), port: await freePort() })
  opened.defer(() => postgres.stop())
  const urlOf = (user: string, database: string) => `${postgres.url.replace('//postgres@', `//${user}@`)}/${database}`
  await createRoles(urlOf('postgres', 'postgres'), deploymentRoles)
  const migrated = await run([join(root, 'operations/migrate.ts'), '--apply-grants'], {
    PRODUCTS_DATABASE_URL: urlOf('products_owner', 'products'),
    NOTIFICATIONS_DATABASE_URL: urlOf('notifications_owner', 'notifications'),
  })
  if (migrated.code !== 0) throw new Error(migrated.err)
  return {
    dir,
    urlOf,
    /** As the superuser. */
    pool(database: string): pg.Pool {
      const pool = new pg.Pool({ connectionString: urlOf('postgres', database), max: 2 })
      opened.defer(() => pool.end())
      return pool
    },
  }
}

async function run(args: string[], variables: Record<string, string>) {
  const child = spawn(process.execPath, args, {
    env: { ...machineVariables(), ...localCredentials, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: child.exitCode, out, err }
}
