import { randomUUID } from 'node:crypto'
import type { SqsClient } from './consumer.ts'
import type { Message, MessageAttribute } from './event.ts'

/** A queue in the memory of a test, with a client for `createConsumer`. Needs neither AWS nor an emulator. */
export interface MemoryQueue {
  sqs: SqsClient
  queueUrl: string
  /**
   * Puts a message on the queue: the JSON of `body`, or a text as it is. Resolves nothing; receivers see it at once.
   */
  send(body: unknown, attributes?: Record<string, string>): void
  /** Messages that were neither deleted nor moved to the dead-letter queue. */
  messages(): readonly Message[]
  /** Messages that were received `maxReceives` times without being deleted. */
  deadLetters(): readonly Message[]
}

interface Held {
  message: Message
  receives: number
  /** Milliseconds of the monotonic clock from which on it is visible. */
  visibleAt: number
  sentAt: number
}

export interface MemoryQueueOptions {
  /** How long a received message is hidden, in milliseconds. Default: 30,000, as in SQS. */
  visibilityTimeoutMs?: number
  /** Receives until a message is dead. Default: 5. */
  maxReceives?: number
}

/** An empty receive of a test waits this long, not the seconds of SQS. */
const EMPTY_RECEIVE_MS = 20

/**
 * Creates an in-memory queue that behaves as SQS does: at least once, hidden while in work, dead after `maxReceives`.
 */
export function createMemoryQueue(options: MemoryQueueOptions = {}): MemoryQueue {
  const store = createMessageStore(options)
  return {
    queueUrl: 'memory://queue',
    sqs: {
      send(command: never) {
        const { constructor, input } = command as { constructor: { name: string }; input: Input }
        return answer(store, constructor.name, input)
      },
    },
    send(body, attributes = {}) {
      const MessageId = randomUUID()
      const MessageAttributes: Record<string, MessageAttribute> = {}
      for (const [name, StringValue] of Object.entries(attributes))
        MessageAttributes[name] = { DataType: 'String', StringValue }
      const message = { MessageId, Body: typeof body === 'string' ? body : JSON.stringify(body), MessageAttributes }
      store.queued.set(MessageId, { message, receives: 0, visibleAt: 0, sentAt: Date.now() })
    },
    messages: () => [...store.queued.values()].map(({ message }) => message),
    deadLetters: () => store.dead,
  }
}

type MessageStore = ReturnType<typeof createMessageStore>

/** The messages of a queue: those that can be received, by their ids, and the dead ones. */
function createMessageStore({ visibilityTimeoutMs = 30_000, maxReceives = 5 }: MemoryQueueOptions) {
  const queued = new Map<string, Held>()
  const dead: Message[] = []
  return {
    queued,
    dead,
    visibilityTimeoutMs,

    async receive(most: number): Promise<Message[]> {
      const now = performance.now()
      const visible = [...queued.values()].filter((held) => held.visibleAt <= now).slice(0, most)
      const received: Message[] = []
      for (const held of visible) {
        const id = held.message.MessageId ?? ''
        if (held.receives === maxReceives) {
          dead.push(held.message)
          queued.delete(id)
          continue
        }
        held.receives++
        held.visibleAt = now + visibilityTimeoutMs
        const Attributes = { ApproximateReceiveCount: String(held.receives), SentTimestamp: String(held.sentAt) }
        received.push({ ...held.message, ReceiptHandle: id, Attributes })
      }
      if (received.length === 0) await new Promise((resolve) => setTimeout(resolve, EMPTY_RECEIVE_MS))
      return received
    },

    hide(id: string, seconds: number): void {
      const held = queued.get(id)
      if (held) held.visibleAt = performance.now() + seconds * 1000
    },
  }
}

/** What SQS answers to a command of that name. */
async function answer(store: MessageStore, name: string, input: Input): Promise<unknown> {
  const entries = input.Entries ?? []
  const Successful = entries.map(({ Id }) => ({ Id }))
  switch (name) {
    case 'GetQueueAttributesCommand':
      return { Attributes: { VisibilityTimeout: String(store.visibilityTimeoutMs / 1000) } }
    case 'ReceiveMessageCommand':
      return {
        Messages: (await store.receive(input.MaxNumberOfMessages ?? 1)).map((message) => asAsked(message, input)),
      }
    case 'DeleteMessageBatchCommand':
      for (const { ReceiptHandle } of entries) store.queued.delete(ReceiptHandle)
      return { Successful, Failed: [] }
    case 'ChangeMessageVisibilityBatchCommand':
      for (const { ReceiptHandle, VisibilityTimeout = 0 } of entries) store.hide(ReceiptHandle, VisibilityTimeout)
      return { Successful, Failed: [] }
    default:
      throw new Error(`the memory queue knows no ${name}`)
  }
}

/** SQS leaves out the attributes that a receiver does not ask for. */
function asAsked({ Attributes = {}, MessageAttributes = {}, ...message }: Message, input: Input): Message {
  return {
    ...message,
    Attributes: chosen(Attributes, input.MessageSystemAttributeNames),
    MessageAttributes: chosen(MessageAttributes, input.MessageAttributeNames),
  }
}

function chosen<Value>(all: Readonly<Record<string, Value>>, names: readonly string[] = []): Record<string, Value> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.includes('All') || names.includes(name)))
}

interface Input {
  MaxNumberOfMessages?: number
  MessageAttributeNames?: string[]
  MessageSystemAttributeNames?: string[]
  Entries?: { Id: string; ReceiptHandle: string; VisibilityTimeout?: number }[]
}
