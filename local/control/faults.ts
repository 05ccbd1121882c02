import { setTimeout as sleep } from 'node:timers/promises'
import { SendMessageCommand, SetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { createProduct } from './traffic.ts'

/** What a fault works on. */
export interface Stage {
  sqs: SQSClient
  queueUrl: () => Promise<string>
  productsUrl: string
  /** Kill a part of the stack, and bring it back after `seconds`. */
  away: Record<'sqs' | 'postgres' | 'product-service', (seconds: number, signal: AbortSignal) => Promise<void>>
}

/** Something that goes wrong on purpose. It is over when `play` resolves. */
export interface Fault {
  name: string
  title: string
  text: string
  seconds: number
  play: (stage: Stage, seconds: number, signal: AbortSignal) => Promise<void>
}

/** The smallest limit that SQS allows; events of products with short descriptions stay below it. */
const SMALL_MESSAGE_BYTES = 1_024
const LARGE_MESSAGE_BYTES = 1_048_576
/** With it the event of a product is larger than the small limit. */
const LONG_DESCRIPTION = 'A description that the queue refuses to carry. '.repeat(30)

export const faults: readonly Fault[] = [
  {
    name: 'sqs-away',
    title: 'SQS away 20 s',
    text: 'The process of SQS is killed. Events wait in the outbox and leave when SQS is back.',
    seconds: 20,
    play: ({ away }, seconds, signal) => away.sqs(seconds, signal),
  },
  {
    name: 'postgres-away',
    title: 'PostgreSQL away',
    text: 'The server is stopped for 15 s. The API answers 503; nothing that was committed is lost.',
    seconds: 15,
    play: ({ away }, seconds, signal) => away.postgres(seconds, signal),
  },
  {
    name: 'kill-relay',
    title: 'Kill the relay',
    text: 'product-service, with its relay, is killed and starts again after 5 s. Its leases run out after 10 s.',
    seconds: 5,
    play: ({ away }, seconds, signal) => away['product-service'](seconds, signal),
  },
  {
    name: 'poison-message',
    title: 'A poison message',
    text: 'A message that is no event. It fails five times and ends in the dead-letter queue; it blocks nothing.',
    seconds: 3,
    async play({ sqs, queueUrl }) {
      const body = JSON.stringify({ hello: 'I am no event' })
      await sqs.send(new SendMessageCommand({ QueueUrl: await queueUrl(), MessageBody: body }))
    },
  },
  {
    name: 'refuse-event',
    title: 'Refuse one event',
    text: 'For 10 s the queue takes no message above 1 KiB, and a product with a long description is made. Its event dies; a redrive brings it through.',
    seconds: 10,
    async play({ sqs, queueUrl, productsUrl }, seconds, signal) {
      const QueueUrl = await queueUrl()
      const limit = (bytes: number) =>
        sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { MaximumMessageSize: String(bytes) } }))
      await limit(SMALL_MESSAGE_BYTES)
      try {
        await createProduct(productsUrl, LONG_DESCRIPTION)
        await sleep(seconds * 1000, undefined, { signal }).catch(() => {})
      } finally {
        await limit(LARGE_MESSAGE_BYTES)
      }
    },
  },
]
