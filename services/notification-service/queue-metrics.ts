import type { SQSClient } from '@aws-sdk/client-sqs'
import { type Depth, depthOf, findQueues } from '@product-events/inbox/command'
import { sampled } from '@product-events/outages'
import { Gauge, type Registry } from '@product-events/telemetry'

const UNKNOWN: Depth = { visible: NaN, in_flight: NaN, delayed: NaN }

/** Whether SQS answers questions about the queue; the gauges of its depth are unknown (NaN) while it does not. */
export interface QueueMetrics {
  answers(): Promise<boolean>
}

/**
 * How many messages are in the queue and in its dead-letter queue, as SQS counts them: approximately, and for all
 * instances of this service alike.
 */
export function createQueueMetrics(registry: Registry, sqs: SQSClient, queueUrl: string): QueueMetrics {
  let deadLetterUrl: string | undefined
  const depth = sampled(() => depthOf(sqs, queueUrl), UNKNOWN)
  const deadLetters = sampled(async () => {
    deadLetterUrl ??= (await findQueues(sqs, { queueUrl })).deadLetterUrl
    return depthOf(sqs, deadLetterUrl)
  }, UNKNOWN)

  const messages = new Gauge({
    name: 'queue_messages',
    help: 'Messages in the queue: visible (nobody has received them), in_flight (received, not deleted yet), delayed',
    labelNames: ['state'],
    registers: [],
    async collect() {
      for (const [state, count] of Object.entries(await depth())) this.set({ state }, count)
    },
  })
  const dead = new Gauge({
    name: 'queue_dead_letters',
    help: 'Messages in the dead-letter queue: somebody has to look at them',
    registers: [],
    async collect() {
      const { visible, in_flight, delayed } = await deadLetters()
      this.set(visible + in_flight + delayed)
    },
  })
  for (const gauge of [messages, dead]) registry.registerMetric(gauge)
  return { answers: async () => !Number.isNaN((await depth()).visible) }
}
