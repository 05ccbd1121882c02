import { freshDatabase } from '@product-events/local'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createProduct } from './api.ts'
import { type Balancer, startBalancer } from './balancer.ts'
import { createService, type Service } from './stack.ts'

/** So many requests are always under way. */
const CALLERS = 12

let instances: Service[]
let balancer: Balancer
beforeAll(async () => {
  const databaseUrl = await freshDatabase(inject('postgresUrl'))
  const stack = { postgresUrl: inject('postgresUrl'), sqsEndpoint: inject('sqsEndpoint'), databaseUrl }
  const make = () => createService('product-service', 'restarted', stack)
  instances = await Promise.all([make(), make()])
  await Promise.all(instances.map((instance) => instance.start()))
  balancer = await startBalancer(instances)
})
afterAll(async () => {
  await balancer.stop()
  await Promise.all(instances.map((instance) => instance.stop()))
})

test('two instances are restarted one after the other under load, and no request is dropped', async () => {
  let running = true
  const ids: string[] = []
  const callers = Array.from({ length: CALLERS }, async () => {
    while (running) {
      const { id } = await createProduct(balancer.url, 'Restarted')
      const answer = await fetch(`${balancer.url}/products/${id}`)
      if (answer.status !== 200) throw new Error(`what was created a moment ago is ${answer.status}`)
      await answer.body?.cancel()
      ids.push(id)
    }
  })
  const restarted = (async () => {
    for (const instance of instances) {
      const before = ids.length
      await expect.poll(() => ids.length, { timeout: 30_000 }).toBeGreaterThan(before + 50)
      await instance.stop()
      await instance.start()
    }
    running = false
  })()
  await Promise.all([restarted, ...callers])
  expect(balancer.dropped()).toBe(0)
  expect(new Set(ids).size).toBe(ids.length)
  const stops = instances.map(({ log }) => log.filter(({ msg }) => msg === 'stopped').length)
  expect(stops).toEqual([1, 1])
})
