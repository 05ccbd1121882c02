import { randomUUIDv7 } from 'node:crypto'
import { type Message, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs'
import { deadLetterQueueName, findQueueUrl } from '@product-events/queue'
import { inject } from 'vitest'
import { findFailures } from '../../failed-messages.ts'
import { ascii, testConsumer } from '../../testing/consumer.ts'
import { readArguments } from '../arguments.ts'
import { depthOf, findQueues } from '../queues.ts'
import { runCommand, type Surroundings } from '../run.ts'

/** What every message there carries of its trace. */
export const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

/** A queue with its dead-letter queue, and the command over both. */
export async function dlqForTest({ fifo = false } = {}) {
  const t = await testConsumer({ postgresUrl: inject('postgresUrl'), sqsEndpoint: inject('sqsEndpoint'), fifo })
  const { sqs, pool, queue } = t.consumer
  const deadLetterUrl = (await findQueueUrl(sqs, deadLetterQueueName(t.queueName))) ?? ''
  const said: string[] = []
  const at: Surroundings = {
    queues: await findQueues(sqs, { queueName: t.queueName, queueUrl: undefined }),
    findFailures: (ids) => findFailures(pool, ids),
    say: (text) => said.push(text),
    confirm: () => Promise.resolve(false),
    signal: new AbortController().signal,
  }
  return {
    close: t.close,
    at,
    pool,
    queueUrl: queue.url,
    /** The emulator counts as in flight what is visible again until somebody asks for messages. */
    async left(): Promise<number> {
      const { visible, in_flight } = await depthOf(sqs, deadLetterUrl)
      return visible + in_flight
    },
    /** Puts a message into the dead-letter queue and tells its id. */
    async bury(body: unknown, group = 'one'): Promise<string> {
      const { MessageId = '' } = await sqs.send(
        new SendMessageCommand({
          QueueUrl: deadLetterUrl,
          MessageBody: typeof body === 'string' ? body : ascii(body),
          MessageAttributes: {
            type: { DataType: 'String', StringValue: 'product.updated' },
            traceparent: { DataType: 'String', StringValue: traceparent },
          },
          ...(fifo && { MessageGroupId: group, MessageDeduplicationId: randomUUIDv7() }),
        }),
      )
      return MessageId
    },
    async run(...args: string[]): Promise<{ done: boolean; text: string }> {
      said.length = 0
      const command = readArguments(args)
      if (command.kind === 'help') throw new Error('help needs no queue')
      const done = await runCommand(command, at)
      return { done, text: said.join('\n') }
    },
    async json<Result>(...args: string[]): Promise<Result> {
      said.length = 0
      const command = readArguments([...args, '--json'])
      if (command.kind !== 'help') await runCommand(command, at)
      return JSON.parse(said.join('\n')) as Result
    },
    /** What is on the queue, in the order in which SQS gives it. */
    async onQueue(): Promise<Message[]> {
      const all: Message[] = []
      for (;;) {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl: queue.url, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] }),
        )
        if (Messages.length === 0) return all
        all.push(...Messages)
      }
    },
  }
}
