import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, startPostgres, startSqs } from '@product-events/local'
import pg from 'pg'
import { createService, type Service } from './stack.ts'

/** What a command of its own needs to try product-service hard: everything on it is gone when it stops. */
export interface Ground {
  products: Service
  pool: pg.Pool
  /** Resident memory of product-service, in whole megabytes. */
  memoryMb(): Promise<number>
  stop(): Promise<void>
}

/** A PostgreSQL, an SQS and a product-service, ready. */
export async function startGround(): Promise<Ground> {
  const opened = new AsyncDisposableStack()
  const stop = () => opened.disposeAsync()
  try {
    // Not below os.tmpdir(): it may be one that only its owner can enter, and PostgreSQL may run as another user.
    const dir = await mkdtemp('/tmp/product-events-ground-')
    opened.defer(() => rm(dir, { recursive: true, force: true }))
    await chmod(dir, 0o755)
    const postgres = await startPostgres({ dataDir: join(dir, 'postgres'), port: await freePort() })
    opened.defer(() => postgres.stop())
    const sqs = await startSqs({ port: await freePort() })
    opened.defer(() => sqs.stop())
    const stack = { postgresUrl: postgres.url, sqsEndpoint: sqs.endpoint }
    const products = await createService('product-service', 'product-notifications', stack)
    opened.defer(() => products.stop())
    await products.start()
    const pool = new pg.Pool({ connectionString: products.databaseUrl, max: 2 })
    opened.defer(() => pool.end())
    return { products, pool, memoryMb: () => memoryMb(products), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

export async function memoryMb(products: Service): Promise<number> {
  return Math.round(((await products.metric('process_resident_memory_bytes')) ?? 0) / 1024 ** 2)
}
