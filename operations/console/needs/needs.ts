import type { Message } from '@aws-sdk/client-sqs'
import type pg from 'pg'
import type { Queues } from '@product-events/inbox/command'
import { MAX_RECEIVE_COUNT } from '@product-events/queue'
import type { Needs, Source } from '../answers.ts'
import { failingMessages } from '../watch/notifications.ts'
import { deadItems } from './dead-events.ts'
import { peekDeadLetters } from './dead-letters.ts'
import { groupsOf, type Item } from './groups.ts'
import { deadLetterItem, failingItem, reasonsOf } from './messages.ts'

/** Where the console reads and writes. */
export interface Places {
  products: pg.Pool
  notifications: pg.Pool
  /** Rejects while SQS is unreachable. */
  queues: () => Promise<Queues>
}

/** A look at the dead-letter queue hides its messages for a moment, so several viewers share one. */
const PEEK_FRESH_MS = 5_000

export interface NeedsReader {
  /** Everything of one source that waits for an operator. Never rejects. */
  read(source: Source): Promise<Needs>
  items(source: Source): Promise<Item[]>
  /** The next look at the dead-letter queue is a new one. */
  forget(): void
}

export function createNeedsReader({ products, notifications, queues }: Places): NeedsReader {
  let peek: { at: number; messages: Promise<Message[]> } | undefined

  function deadLetters(): Promise<Message[]> {
    if (peek && performance.now() - peek.at < PEEK_FRESH_MS) return peek.messages
    const messages = queues().then(peekDeadLetters)
    peek = { at: performance.now(), messages }
    messages.catch(() => (peek = undefined))
    return messages
  }

  async function items(source: Source): Promise<Item[]> {
    switch (source) {
      case 'events':
        return deadItems(products)
      case 'deliveries':
        return deadItems(notifications)
      case 'failing':
        return (await failingMessages(notifications, (await queues()).maxReceives ?? MAX_RECEIVE_COUNT)).map(
          failingItem,
        )
      default: {
        const messages = await deadLetters()
        // The messages are worth showing when the database that knows the reasons is unreachable.
        const reasons = await reasonsOf(
          notifications,
          messages.flatMap(({ MessageId }) => MessageId ?? []),
        ).catch(() => new Map<string, string>())
        return messages.map((message) => deadLetterItem(message, reasons.get(message.MessageId ?? '')))
      }
    }
  }

  return {
    items,
    async read(source) {
      const at = new Date().toISOString()
      try {
        return { at, groups: groupsOf(source, await items(source)), unknown: [] }
      } catch (error) {
        return { at, groups: [], unknown: [{ source, reason: (error as Error).message || 'no answer' }] }
      }
    },
    forget: () => (peek = undefined),
  }
}
