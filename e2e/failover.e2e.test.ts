import { execFileSync } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createDatabase, freePort, startPostgres } from '@product-events/local'
import pg from 'pg'
import { expect, inject, onTestFinished, test } from 'vitest'
import { allNotifications, createProduct, type Product } from './api.ts'
import { startTcpProxy } from './faults/tcp-proxy.ts'
import { createService } from './stack.ts'

const patiently = { timeout: 60_000 }
const PRODUCTS = 60

test('a standby that lagged behind is promoted while SQS stalls: what is acknowledged afterwards is notified', async () => {
  const database = await startReplicatedPostgres()
  const sqs = await proxyTo(Number(new URL(inject('sqsEndpoint')).port))
  const queueName = 'failover'
  const products = await createService('product-service', queueName, {
    postgresUrl: database.url,
    sqsEndpoint: `http://127.0.0.1:${sqs.port}`,
    databaseUrl: await createDatabase(database.url, 'products'),
  })
  const notifications = await createService('notification-service', queueName, {
    postgresUrl: inject('postgresUrl'),
    sqsEndpoint: inject('sqsEndpoint'),
  })
  for (const service of [products, notifications]) {
    onTestFinished(service.stop)
    await service.start()
  }
  const notified = async () => new Set((await allNotifications(notifications.url)).map(({ product_id: id }) => id))
  const missingOf = async (made: Product[]) => {
    const ids = await notified()
    return made.filter(({ id }) => !ids.has(id)).map(({ name }) => name)
  }

  const before = await createProducts(products.url, 'replicated')
  await expect.poll(() => missingOf(before), patiently).toEqual([])
  await database.untilReplicated()

  database.letStandbyLag()
  sqs.become({ kind: 'blackhole' })
  const lost = await createProducts(products.url, 'lost')
  await expect.poll(() => products.metric('outbox_events'), patiently).toBe(PRODUCTS)
  await database.failOver()
  const after = await createProducts(products.url, 'acknowledged after the failover')
  sqs.become({ kind: 'pass' })

  await expect.poll(() => missingOf(after), patiently).toEqual([])
  // Events are marked some time after SQS took them.
  await expect.poll(() => database.statuses(), patiently).toEqual({ processed: 2 * PRODUCTS })
  const { rows } = await database.promoted.query('SELECT count(*)::int AS count FROM products WHERE id = ANY ($1)', [
    lost.map(({ id }) => id),
  ])
  expect(rows, 'the standby never had them').toEqual([{ count: 0 }])
})

/**
 * Products whose creation was answered with 201, all at once; a refusal, as there is during a failover, is tried again.
 */
async function createProducts(url: string, name: string): Promise<Product[]> {
  const made: Product[] = []
  const create = async (n: number) => {
    await expect.poll(async () => made.push(await createProduct(url, `${name} ${n}`)), patiently).toBeGreaterThan(0)
  }
  await Promise.all(Array.from({ length: PRODUCTS }, (_, n) => create(n)))
  return made
}

async function proxyTo(targetPort: number) {
  const proxy = await startTcpProxy({ port: await freePort(), targetPort })
  onTestFinished(proxy.close)
  return proxy
}

/** A primary and its asynchronous standby behind one address, which leads to the standby after the failover. */
async function startReplicatedPostgres() {
  // Not below os.tmpdir(): it may be one that only its owner can enter, and PostgreSQL may run as another user.
  const dir = await mkdtemp('/tmp/product-events-failover-')
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  await chmod(dir, 0o755)
  const start = async (name: string, settings: Record<string, string> = {}) => {
    const server = await startPostgres({ dataDir: join(dir, name), port: await freePort(), settings })
    onTestFinished(server.stop)
    return server
  }
  await (await start('primary')).stop()
  execFileSync('cp', ['-a', join(dir, 'primary'), join(dir, 'standby')])
  await writeFile(join(dir, 'standby', 'standby.signal'), '')

  const primary = await start('primary')
  const address = await proxyTo(portOf(primary.url))
  const replication = await proxyTo(portOf(primary.url))
  const standby = await start('standby', {
    primary_conninfo: `host=127.0.0.1 port=${replication.port} user=postgres`,
  })
  const [onPrimary, promoted] = [connect(primary.url), connect(standby.url)]
  return {
    url: `postgres://postgres@127.0.0.1:${address.port}`,
    promoted,
    async untilReplicated() {
      const { rows } = await onPrimary.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn')
      const isThere = async () =>
        (await promoted.query('SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS there', [rows[0]?.lsn])).rows
      await expect.poll(isThere, patiently).toEqual([{ there: true }])
    },
    letStandbyLag: () => replication.become({ kind: 'cut' }),
    async failOver() {
      address.become({ kind: 'cut' })
      primary.kill()
      await promoted.query('SELECT pg_promote()')
      address.leadTo(portOf(standby.url))
      address.become({ kind: 'pass' })
    },
    async statuses() {
      const { rows } = await promoted.query<{ status: string; count: number }>(
        'SELECT status::text, count(*)::int AS count FROM events GROUP BY 1',
      )
      return Object.fromEntries(rows.map(({ status, count }) => [status, count]))
    },
  }
}

const portOf = (url: string) => Number(new URL(url).port)

function connect(url: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: `${url}/products` })
  pool.on('error', () => {}) // the primary is killed
  onTestFinished(() => pool.end())
  return pool
}
