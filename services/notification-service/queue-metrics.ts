import type { SQSClient } from '@aws-sdk/client-sqs'
import { type Depth, depthOf, findQueues } from '@product-events/inbox/command'
import { createOutageWatch, sampled } from '@product-events/outages'
import { Gauge, type Registry } from '@product-events/telemetry'
import type { LogLines } from './log-lines.ts'

const UNKNOWN: Depth = { visible: NaN, in_flight: NaN, delayed: NaN }

/** Whether SQS answers questions about the queue; the gauges of its depth are unknown (NaN) while it does not. */
export interface QueueMetrics {
  answers(): Promise<boolean>
}

/**
 * How many messages are in the queue and in its dead-letter queue, as SQS counts them: approximately, and for all
 * instances of this service alike. Both are counted at once, so that a missing right is in the log from the start on.
 */
export function createQueueMetrics(
  registry: Registry,
  sqs: SQSClient,
  queueUrl: string,
  log: Pick<LogLines, 'deadLettersUncounted' | 'deadLettersCounted'>,
): QueueMetrics {
  let deadLetterUrl: string | undefined
  const watch = createOutageWatch({ lost: log.deadLettersUncounted, back: log.deadLettersCounted })
  const depth = sampled(() => depthOf(sqs, queueUrl), UNKNOWN)
  const deadLetters = sampled(async () => {
    try {
      deadLetterUrl ??= (await findQueues(sqs, { queueUrl })).deadLetterUrl
      const counted = await depthOf(sqs, deadLetterUrl)
      watch.worked()
      return counted
    } catch (error) {
      // While SQS answers nothing at all, the receivers say so.
      if (!Number.isNaN((await depth()).visible)) watch.failed((error as Error).message || (error as Error).name)
      throw error
    }
  }, UNKNOWN)
  void deadLetters()

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
