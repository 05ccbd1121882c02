import type { MessageAttributeValue, SendMessageBatchRequestEntry } from '@aws-sdk/client-sqs'
import type { OutboxEvent } from './send.ts'

/** An entry of SendMessageBatch, and its size as SQS counts it. */
export interface Entry {
  event: OutboxEvent
  entry: SendMessageBatchRequestEntry
  /** Body and attributes (name, type and value), in bytes of UTF-8. */
  bytes: number
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
export const MAX_BYTES = 1024 * 1024

/** UTF-16 surrogates, and the two code points that SQS refuses because XML 1.0 has no place for them. */
const TO_ESCAPE = /[\ud800-\udfff\ufffe\uffff]/g

/**
 * The message for an event: the payload as body; the type and every header as attributes; on a FIFO queue the key as
 * group and the event id as deduplication id. Characters beyond the basic plane are written as JSON escapes: every
 * JSON reader takes them, and some emulators of SQS take only these.
 */
export function toEntry(event: OutboxEvent, fifo: boolean): Entry {
  const body = event.payload.replace(TO_ESCAPE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const attributes: Record<string, MessageAttributeValue> = {}
  let bytes = Buffer.byteLength(body)
  for (const [name, value] of Object.entries({ ...event.headers, type: event.type })) {
    attributes[name] = { DataType: 'String', StringValue: value }
    bytes += Buffer.byteLength(name) + 'String'.length + Buffer.byteLength(value)
  }
  return {
    event,
    bytes,
    entry: {
      Id: event.id,
      MessageBody: body,
      MessageAttributes: attributes,
      ...(fifo && { MessageGroupId: event.key, MessageDeduplicationId: event.eventId }),
    },
  }
}

/** Packs entries, in their order, into batches within both limits. An entry above `maxBytes` is a batch of its own. */
export function pack(entries: readonly Entry[], maxEntries: number, maxBytes: number): Entry[][] {
  const batches: Entry[][] = []
  let bytes = Infinity
  for (const entry of entries) {
    const last = batches.at(-1)
    if (last === undefined || last.length === maxEntries || bytes + entry.bytes > maxBytes) {
      batches.push([entry])
      bytes = entry.bytes
    } else {
      last.push(entry)
      bytes += entry.bytes
    }
  }
  return batches
}
