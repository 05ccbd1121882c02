import { freshDatabase } from '@product-events/local'
import { connect } from '@product-events/database'
import type pg from 'pg'
import { type Balancer, startBalancer } from '../balancer.ts'
import { createService, type Program, type Service } from '../stack.ts'
import { type Release } from './release.ts'
import type { Replacement } from './slow.ts'
import { repositoryRoot } from './root.ts'

const kinds = ['product-service', 'relay', 'notification-service'] as const
type Kind = (typeof kinds)[number]
export type Instances = Record<Kind, number>
const usual: Instances = { 'product-service': 3, relay: 2, 'notification-service': 2 }

interface Instance {
  kind: Kind
  service: Service
  /** Undefined: this checkout. */
  release: Release | undefined
}

/** Product-services, relays and notification-services, each API behind a balancer. */
export interface Deployment {
  balancers: { products: Balancer; notifications: Balancer }
  databases: { products: pg.Pool; notifications: pg.Pool }
  /** Replaces each process in turn; `undefined` is this checkout. Resolves when the last one is ready. */
  replaceAll(release: Release | undefined): Promise<void>
  /** The ids of the events whose notification was logged, one for each line. */
  notified(): string[]
  /** Those that are over. */
  replacements: readonly Replacement[]
  /** What the processes logged at level error or fatal. */
  errors(): object[]
  stop(): Promise<void>
}

export async function startDeployment(
  server: { postgresUrl: string; sqsEndpoint: string },
  first: Release | undefined,
  instancesOf = usual,
): Promise<Deployment> {
  const opened = new AsyncDisposableStack()
  const queueName = `rolling-${process.pid}-${Date.now()}`
  const urls = {
    products: await freshDatabase(server.postgresUrl),
    notifications: await freshDatabase(server.postgresUrl),
  }
  const instances: Instance[] = []
  const replacements: Replacement[] = []
  for (const kind of kinds) {
    for (let number = 0; number < instancesOf[kind]; number++) {
      const databaseUrl = kind === 'notification-service' ? urls.notifications : urls.products
      const instance: Instance = { kind, release: first, service: undefined as unknown as Service }
      instance.service = await createService(kind === 'relay' ? 'product-service' : kind, queueName, {
        ...server,
        databaseUrl,
        program: () => programOf(instance),
      })
      instances.push(instance)
    }
  }
  opened.defer(async () => void (await Promise.all(instances.map(({ service }) => service.stop()))))
  const of = (kind: Kind) => instances.filter((instance) => instance.kind === kind).map(({ service }) => service)
  try {
    await Promise.all(instances.map(({ service }) => service.start()))
    const balancers = {
      products: await startBalancer(of('product-service')),
      notifications: await startBalancer(of('notification-service')),
    }
    opened.defer(balancers.products.stop)
    opened.defer(balancers.notifications.stop)
    const open = (databaseUrl: string) => {
      const pool = connect({ databaseUrl, applicationName: 'onlooker', maxConnections: 2, onIdleError: () => {} })
      opened.defer(() => pool.end())
      return pool
    }
    return {
      balancers,
      databases: { products: open(urls.products), notifications: open(urls.notifications) },
      async replaceAll(release) {
        for (const instance of instances) replacements.push(await replace(instance, release))
      },
      notified: () =>
        of('notification-service').flatMap(({ log }) =>
          log.filter(({ msg }) => msg === 'notification').map((line) => String(line['event_id'])),
        ),
      replacements,
      errors: () =>
        instances.flatMap(({ service }) => service.log.filter(({ level }) => /error|fatal/.test(String(level)))),
      stop: () => opened.disposeAsync(),
    }
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}

async function replace(instance: Instance, release: Release | undefined): Promise<Replacement> {
  const stopping = Date.now()
  await instance.service.stop()
  const starting = Date.now()
  instance.release = release
  await instance.service.start()
  return { what: `${instance.kind} → ${release?.name ?? 'this version'}`, stopping, starting, ready: Date.now() }
}

function programOf({ kind, release }: Instance): Program | undefined {
  if (release) return release[kind]
  // A relay of this checkout is another program of product-service.
  if (kind !== 'relay') return undefined
  return {
    main: `${repositoryRoot}/services/product-service/relay-main.ts`,
    tracing: `file://${repositoryRoot}/packages/telemetry/tracing.ts`,
  }
}
