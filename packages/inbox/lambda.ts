import type { InboxEvent, Message } from './event.ts'
import type { Store } from './group-commit.ts'
import { createProcessing, type ProcessingOptions, type RecordKeeping } from './processing.ts'
import { processMessage } from './process-messages.ts'

/** What AWS Lambda calls a function of an SQS trigger with: as much of it as is needed. */
export interface LambdaEvent {
  Records: readonly LambdaRecord[]
}

export interface LambdaRecord {
  messageId: string
  receiptHandle?: string
  body: string
  attributes?: Readonly<Record<string, string | undefined>>
  messageAttributes?: Readonly<Record<string, LambdaAttribute>>
}

interface LambdaAttribute {
  stringValue?: string | undefined
  binaryValue?: string | undefined
  dataType: string
}

export interface LambdaContext {
  getRemainingTimeInMillis(): number
}

/** Lambda makes the messages visible again that are named, and deletes the others. */
export interface LambdaAnswer {
  batchItemFailures: { itemIdentifier: string }[]
}

export type LambdaHandler = (event: LambdaEvent, context?: LambdaContext) => Promise<LambdaAnswer>

/** The time left of an invocation when it stops waiting for a database: enough for a statement under way to end. */
const MARGIN_MS = 2_000
/** The default of Lambda is 3 s: an invocation without a context waits no longer than this for a database. */
const WITHOUT_CONTEXT_MS = 1_000

/**
 * The same processing as a consumer's, for one batch an invocation. While the database is unreachable it retries until
 * the invocation is nearly over; then all messages that are not done are returned as failures.
 */
export function createLambdaHandler<Event extends InboxEvent>(
  options: ProcessingOptions<Event>,
  store: Store<Event>,
  records: RecordKeeping,
): LambdaHandler {
  const processing = createProcessing(options, store, records)
  const { report, guard } = processing
  return async ({ Records }, context) => {
    const remainingMs = context ? context.getRemainingTimeInMillis() - MARGIN_MS : WITHOUT_CONTEXT_MS
    const nearlyOver = AbortSignal.timeout(Math.max(1, Math.floor(remainingMs)))
    const messages = Records.map(messageOf)
    guard(() => report({ kind: 'received', messages }))
    const fates = await Promise.all(messages.map((message) => processMessage(processing, message, nearlyOver)))
    return {
      batchItemFailures: messages.flatMap((message, index) =>
        fates[index] === 'done' ? [] : [{ itemIdentifier: message.MessageId ?? '' }],
      ),
    }
  }
}

function messageOf({ messageId, receiptHandle, body, attributes, messageAttributes }: LambdaRecord): Message {
  const converted = Object.entries(messageAttributes ?? {}).map(([name, { stringValue, binaryValue, dataType }]) => [
    name,
    {
      DataType: dataType,
      StringValue: stringValue,
      ...(binaryValue !== undefined && { BinaryValue: Buffer.from(binaryValue, 'base64') }),
    },
  ])
  return {
    MessageId: messageId,
    ReceiptHandle: receiptHandle,
    Body: body,
    Attributes: attributes as Record<string, string>,
    MessageAttributes: Object.fromEntries(converted) as NonNullable<Message['MessageAttributes']>,
  }
}
