import { randomUUID } from 'node:crypto'
import { type Message, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs'
import type { Terminal } from '@product-events/terminal'
import { type Failure, findFailures, noteFailures, recentFailures } from '../../failed-messages.ts'
import { ascii } from '../../../queue/testing/test-queue.ts'
import { testInbox } from '../../testing/inbox.ts'
import { depthOf, findQueues } from '../queues.ts'
import { inboxCommand, type InboxCommandOptions } from '../run.ts'

/** What every message there carries of its trace. */
export const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

const TARGET = { schema: '"inbox"', consumer: 'billing' }

/** A queue with its dead-letter queue, and the command over both. A look is kept only if `keepMs` says so. */
export async function deadLettersForTest({ fifo = false, keepMs = 0 } = {}) {
  const t = await testInbox({ fifo })
  const { sqs, pool, deadLetterUrl } = t
  const queues = await findQueues(sqs, { queueUrl: t.queue.url })
  const options: InboxCommandOptions = {
    name: 'inbox',
    version: '1',
    keepMs,
    confirm: () => Promise.resolve(false),
    open: () =>
      Promise.resolve({
        queues,
        findFailures: (ids) => findFailures(pool, TARGET, ids),
        recentFailures: (seconds, limit) => recentFailures(pool, TARGET, { seconds, limit }),
        close: () => Promise.resolve(),
      }),
  }

  const run = (args: string[], { signal = new AbortController().signal, ...changed }: Changed = {}) =>
    runInboxCommand(args, { ...options, ...changed }, signal)

  return {
    close: t.close,
    queues,
    run,
    note: (failures: Failure[]) => noteFailures(pool, TARGET, failures),
    sqs,
    async json<Result>(...args: string[]): Promise<Result> {
      return JSON.parse((await run([...args, '--json'])).out) as Result
    },
    /** The emulator counts messages that are visible again as in flight until the next receive. */
    async left(): Promise<number> {
      const { visible, in_flight } = await depthOf(sqs, deadLetterUrl)
      return visible + in_flight
    },
    /** Puts a message into the dead-letter queue and resolves with its id. */
    async bury(body: unknown, group = 'one'): Promise<string> {
      const { MessageId = '' } = await sqs.send(
        new SendMessageCommand({
          QueueUrl: deadLetterUrl,
          MessageBody: typeof body === 'string' ? body : ascii(body),
          MessageAttributes: {
            type: { DataType: 'String', StringValue: 'order.paid' },
            traceparent: { DataType: 'String', StringValue: traceparent },
          },
          ...(fifo && { MessageGroupId: group, MessageDeduplicationId: randomUUID() }),
        }),
      )
      return MessageId
    },
    /** The messages on the queue, in the order of SQS. */
    async onQueue(): Promise<Message[]> {
      const all: Message[] = []
      for (;;) {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl: t.queue.url, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] }),
        )
        if (Messages.length === 0) return all
        all.push(...Messages)
      }
    },
  }
}

type Changed = Partial<InboxCommandOptions> & { signal?: AbortSignal }

/** Resolves with the exit code and what the command wrote. */
async function runInboxCommand(args: string[], options: InboxCommandOptions, signal: AbortSignal) {
  const out: string[] = []
  const err: string[] = []
  const terminal: Terminal = {
    args,
    signal,
    stdout: (text) => void out.push(text),
    stderr: (text) => void err.push(text),
    progress: { now: () => {}, end: () => {} },
  }
  const code = await inboxCommand(options, terminal)
  return { code, out: out.join(''), err: err.join('') }
}
