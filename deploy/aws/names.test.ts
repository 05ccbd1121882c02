import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import * as queues from '../../packages/queue/find-or-create.ts'
import { readServiceConfig } from '../../services/notification-service/config.ts'
import { readProductServiceConfig } from '../../services/product-service/config.ts'
import { collectorConfig } from './collector.ts'
import { deadLetterQueueName, ports, queueNumbers } from './names.ts'
import { scalingNumbers } from './scaling-numbers.ts'
import { sizes } from './sizes.ts'

const root = join(import.meta.dirname, '..', '..')
const environment = { DATABASE_URL: 'postgres://localhost', AWS_REGION: 'eu-central-1' }

test('the queues have the numbers of the queues that the services make themselves', () => {
  expect(queueNumbers).toEqual({
    maxReceiveCount: queues.MAX_RECEIVE_COUNT,
    retentionSeconds: queues.RETENTION_SECONDS,
    visibilityTimeoutSeconds: queues.VISIBILITY_TIMEOUT_SECONDS,
  })
  for (const name of ['product-notifications', 'a.fifo'])
    expect(deadLetterQueueName(name)).toBe(queues.deadLetterQueueName(name))
})

test('the ports are those on which the services listen when nothing else is said', () => {
  const product = readProductServiceConfig(environment)
  const notification = readServiceConfig(environment)
  expect(ports['product-service']).toEqual({ http: product.httpPort, operations: product.metricsPort })
  expect(ports['notification-service']).toEqual({ http: notification.httpPort, operations: notification.metricsPort })
})

test('the collector scrapes under the job that the rules name, and asks each task of each program', () => {
  const { scrape_configs } = parse(readFileSync(join(root, 'deploy/prometheus/prometheus.yaml'), 'utf8')) as {
    scrape_configs: { job_name: string }[]
  }
  const { receivers } = parse(collectorConfig({ region: 'x', remoteWriteUrl: 'https://x' })) as {
    receivers: {
      prometheus: { config: { scrape_configs: { job_name: string; dns_sd_configs: { port: number }[] }[] } }
    }
  }
  const [scraped] = receivers.prometheus.config.scrape_configs
  expect(scraped?.job_name).toBe(scrape_configs[0]?.job_name)
  expect(scraped?.dns_sd_configs.map(({ port }) => port)).toEqual([8082, 8083, 8082])
})

test('a message that fails until it goes to the dead-letter queue scales nothing', () => {
  const oldest = queues.MAX_RECEIVE_COUNT * queues.VISIBILITY_TIMEOUT_SECONDS
  expect(scalingNumbers.consumerAgeSeconds).toBeGreaterThan(oldest)
  expect(scalingNumbers.consumerIdleSeconds).toBeLessThan(scalingNumbers.consumerAgeSeconds)
})

test('the events that wait while lanes are handed over scale nothing', () => {
  const leaseSeconds = Number(/LEASE_MS = ([\d_]+)/.exec(readLease())?.[1]?.replace('_', '')) / 1000
  expect(leaseSeconds).toBe(10)
  // At the highest rate that one relay is meant for: a step of `relayBacklog` is more than the hand-over leaves behind.
  const eventsASecond = 100
  expect(scalingNumbers.relayBacklog).toBeGreaterThan(2 * leaseSeconds * eventsASecond)
  expect(scalingNumbers.relayIdle).toBeLessThan(scalingNumbers.relayBacklog)
})

test('no size asks for more relays than there are lanes', () => {
  for (const { relay } of Object.values(sizes)) expect(relay.max).toBeLessThanOrEqual(64)
})

function readLease(): string {
  return readFileSync(join(root, 'packages/outbox/lease.ts'), 'utf8')
}
