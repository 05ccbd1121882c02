import { freshQueue, localCredentials } from '@product-events/local'
import { connectSqs, deadLetterQueueName } from '@product-events/queue'
import { Registry } from '@product-events/telemetry'
import { expect, inject, test } from 'vitest'
import { rights } from '../deploy/aws/rights.ts'
import { createQueueMetrics } from '../services/notification-service/queue-metrics.ts'
import { startRightsFront } from './faults/rights-front.ts'

const own = rights['notification-service']

test.concurrent.each([
  ['sqs:GetQueueUrl', []],
  ['sqs:GetQueueAttributes', ['sqs:GetQueueUrl']],
])(
  'without %s on the dead-letter queue one warning and a gauge of NaN say so, until it is granted',
  async (action, kept) => {
    await using opened = new AsyncDisposableStack()
    const { sqs: admin, queue } = await freshQueue(inject('sqsEndpoint'))
    opened.defer(() => admin.destroy())
    const front = await startRightsFront({
      endpoint: inject('sqsEndpoint'),
      queueName: queue.name,
      deadLetterQueueName: deadLetterQueueName(queue.name),
      rights: { ...own, deadLetterQueue: kept },
    })
    opened.defer(front.close)
    const { AWS_REGION: region } = localCredentials
    const sqs = connectSqs({ endpoint: front.endpoint, region, requestTimeoutMs: 5_000, maxConnections: 1 })
    opened.defer(() => sqs.destroy())
    const lines: string[] = []
    const registry = new Registry()
    createQueueMetrics(registry, sqs, queue.url, {
      deadLettersUncounted: (reason) => void lines.push(reason),
      deadLettersCounted: () => void lines.push('counted again'),
    })
    const gauge = async () => /^queue_dead_letters (\S+)$/m.exec(await registry.metrics())?.[1]

    const notAuthorized = expect.stringContaining(`not authorized to perform: ${action}`) as string
    await expect.poll(() => lines).toEqual([notAuthorized])
    expect(await gauge()).toBe('Nan')
    // A second look fails in the same way, and adds no line.
    const looks = front.asked()
    await expect
      .poll(async () => (await gauge()) === 'Nan' && front.asked() > looks + 1, { timeout: 60_000 })
      .toBe(true)
    expect(lines).toEqual([notAuthorized])
    front.become(own)
    await expect.poll(gauge, { timeout: 60_000 }).toBe('0')
    expect(lines).toEqual([notAuthorized, 'counted again'])
  },
)
