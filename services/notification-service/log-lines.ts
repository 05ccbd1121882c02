import { type Logger, type SpanContext, traceFields } from '@product-events/telemetry'
import type { FailedEntry, Message } from '@product-events/inbox'
import type { NewNotification } from './notifications/notification.ts'

/**
 * Types that no version of ours sends are logged once each, but their number is not ours: no more than this are kept.
 */
const MOST_UNKNOWN_TYPES = 1_000
/** Likewise the events whose id came with other content: a line for each, up to so many. */
const MOST_DIFFERENT = 1_000

export type LogLines = ReturnType<typeof logLines>

/** Every line this service logs: its level, its wording, its fields. */
export function logLines(log: Logger) {
  return {
    started: (at: { api: string; operations: string; database: string; queue: string }) =>
      log.info(at, 'notification-service is ready'),
    ...dependencyLines(log),
    ...eventLines(log),
    ...messageLines(log),
    ...streamLines(log),
    ...retentionLines(log),
  }
}

/** When a dependency is lost, and when it is back. */
function dependencyLines(log: Logger) {
  return {
    sqsLost: (reason: string) => log.error({ reason }, 'SQS does not answer; receivers back off until it does'),
    sqsBack: (away_ms: number) => log.info({ away_ms }, 'SQS answers again'),
    deadLettersUncounted: (reason: string) =>
      log.warn(
        { reason },
        'the messages in the dead-letter queue cannot be counted: grant sqs:GetQueueUrl and sqs:GetQueueAttributes on it, or make it',
      ),
    deadLettersCounted: (away_ms: number) =>
      log.info({ away_ms }, 'the messages in the dead-letter queue are counted again'),
    databaseLost: (reason: string) =>
      log.error({ reason }, 'the database stores nothing; messages are held until it does'),
    databaseBack: (away_ms: number) => log.info({ away_ms }, 'the database stores again'),
  }
}

/** What became of events. */
function eventLines(log: Logger) {
  const unknownTypes = new Set<string>()
  const different = new Set<string>()
  return {
    notification: ({ id, event_id, event_type, product_id, sequence }: NewNotification, trace?: SpanContext) =>
      log.info(
        { ...traceFields(trace), event_id, event_type, product_id, sequence, notification_id: id },
        'notification',
      ),
    duplicate: ({ event_id, event_type, product_id, sequence }: NewNotification, trace?: SpanContext) =>
      log.debug(
        { ...traceFields(trace), event_id, event_type, product_id, sequence },
        'duplicate: the event was known already',
      ),
    differentDuplicate({ event_id, event_type, product_id, sequence }: NewNotification, trace?: SpanContext): void {
      if (different.has(event_id) || different.size >= MOST_DIFFERENT) return
      different.add(event_id)
      log.warn(
        { ...traceFields(trace), event_id, event_type, product_id, sequence },
        'an event with the id of another one but other content; only the first is notified',
      )
    },
    unknownType(event_type: string, reason: string, trace?: SpanContext): void {
      if (unknownTypes.has(event_type) || unknownTypes.size >= MOST_UNKNOWN_TYPES) return
      unknownTypes.add(event_type)
      log.warn(
        { ...traceFields(trace), event_type, reason },
        'events of a type or shape that this version does not know; kept as unknown',
      )
    },
  }
}

/** Messages that no notification follows from, and those that SQS keeps. */
function messageLines(log: Logger) {
  return {
    invalid: (message: Message, reason: string, trace?: SpanContext) =>
      log.error(
        { ...traceFields(trace), ...idOf(message), reason },
        'message is no event; left to the dead-letter queue',
      ),
    refused: (message: Message, { event_id, product_id }: NewNotification, error: Error, trace?: SpanContext) =>
      log.error(
        { ...traceFields(trace), ...idOf(message), event_id, product_id, reason: error.message },
        'the database refuses the notification; message left to the dead-letter queue',
      ),
    parsingLost: (reason: string) =>
      log.error({ reason }, 'messages can not be parsed, a bug; they are held until a version that can'),
    parsingBack: (away_ms: number) => log.info({ away_ms }, 'messages are parsed again'),
    notDeleted: (entries: readonly FailedEntry[]) =>
      log.warn(
        { entries: entries.map(fieldsOf) },
        'handled messages were not deleted; they come again and will be duplicates',
      ),
    notHidden: (entries: readonly FailedEntry[]) =>
      log.warn(
        { entries: entries.map(fieldsOf) },
        'messages in work could not be kept hidden; another receiver may get them',
      ),
  }
}

/** The streams of notifications. */
function streamLines(log: Logger) {
  return {
    feedLost: (reason: string) =>
      log.error({ reason }, 'the database can not be read for the streams; they wait until it can'),
    feedBack: (away_ms: number) => log.info({ away_ms }, 'the streams go on'),
    streamCutOff: () => log.warn('a reader of the stream was too slow and was cut off; it can resume'),
  }
}

/** Deletion of old notifications. */
function retentionLines(log: Logger) {
  return {
    sweepFails: (reason: string) =>
      log.error(
        { reason },
        'notifications past their retention can not be deleted; the next try follows within a minute',
      ),
    sweepWorks: (away_ms: number) => log.info({ away_ms }, 'notifications past their retention are deleted again'),
    swept: (notifications: number) => log.info({ notifications }, 'notifications past their retention were deleted'),
  }
}

function idOf(message: Message) {
  return { message_id: message.MessageId, receive_count: Number(message.Attributes?.ApproximateReceiveCount ?? 1) }
}

function fieldsOf({ message_id, reason }: FailedEntry) {
  return { message_id, reason }
}
