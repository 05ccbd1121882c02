import pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { fuzz } from './fuzz/http/run.ts'
import { createService, type Service } from './stack.ts'

let products: Service
let pool: pg.Pool
beforeAll(async () => {
  const stack = { postgresUrl: inject('postgresUrl'), sqsEndpoint: inject('sqsEndpoint') }
  products = await createService('product-service', 'fuzzed', stack)
  await products.start()
  pool = new pg.Pool({ connectionString: products.databaseUrl, max: 2 })
})
afterAll(async () => {
  await pool.end()
  await products.stop()
})

test('requests by the document and against it get no 5xx and no silence, and the database has what was answered', async () => {
  // Always the same ones: what fails here fails again. `npm run fuzz` tries others.
  const { counts, violations } = await fuzz({ url: products.url, pool, requests: 1_000, seed: 4, onRound: () => {} })
  expect(violations).toEqual([])
  for (const status of ['200', '201', '204', '400', '404', '405', '412', '413', '415', '422', '431'])
    expect(counts, status).toHaveProperty(status)
})
