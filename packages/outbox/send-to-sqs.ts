import { type BatchResultErrorEntry, SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { type Outcome, type Send, SEND_TIMEOUT_MS, type SendResult } from './send.ts'
import { type Entry, pack, toEntry } from './sqs-entry.ts'

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const MAX_ENTRIES = 10
export const MAX_BYTES = 1024 * 1024
/** Errors that speak of what a message is, not of the service or of our right to use it: another try says the same. */
const NEVER_ACCEPTABLE =
  /(InvalidMessageContents|InvalidParameterValue|InvalidParameterCombination|InvalidAttributeValue|InvalidAttributeName|MissingParameter|MessageTooLong|BatchRequestTooLong)$/
/** Errors of one entry that are not its fault: the service had no room for it at that moment. */
const NO_FAULT_OF_THE_ENTRY = /(Throttl|TooManyRequests|OverLimit)/i

export interface SqsTarget {
  /** Must not retry by itself (`maxAttempts: 1`): the relay does, and knows for how long. */
  sqs: SQSClient
  queueUrl: string
  /**
   * True: the client ends each of its calls within `SEND_TIMEOUT_MS` by itself, to the last byte of the answer. Then none
   * needs an `abortSignal`, for which the SDK sorts its middleware anew: a tenth of what a call costs.
   */
  bounded?: boolean
}

/** Sends to an SQS queue, standard or FIFO, by SendMessageBatch. */
export function sendToSqs({ sqs, queueUrl, bounded = false }: SqsTarget): Send {
  const fifo = queueUrl.endsWith('.fifo')

  return async (events) => {
    const result: SendResult = { outcomes: new Map() }
    const entries = events.map((event) => toEntry(event, fifo))
    for (const { event, bytes } of entries) {
      if (bytes <= MAX_BYTES) continue
      const reason = `too large: ${bytes} bytes with attributes, and SQS takes ${MAX_BYTES}`
      result.outcomes.set(event.id, { kind: 'unacceptable', reason })
    }
    const fitting = entries.filter(({ event }) => !result.outcomes.has(event.id))
    const options = callOptions(bounded)
    for (const batch of pack(fitting, MAX_ENTRIES, MAX_BYTES)) {
      await sendBatch(batch, result, options)
      if (result.outage !== undefined) break
    }
    return result
  }

  async function sendBatch(batch: Entry[], result: SendResult, options: CallOptions): Promise<void> {
    try {
      const command = new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: batch.map(({ entry }) => entry) })
      const { Successful = [], Failed = [] } = await sqs.send(command, options())
      for (const { Id } of Successful) if (Id !== undefined) result.outcomes.set(Id, { kind: 'accepted' })
      for (const failed of Failed) settleFailed(failed, result)
    } catch (error) {
      const { name, message } = error as Error
      if (!NEVER_ACCEPTABLE.test(name)) {
        result.outage = `${name}: ${message}`
      } else if (batch.length === 1) {
        result.outcomes.set(batch[0]!.event.id, { kind: 'unacceptable', reason: `${name}: ${message}` })
      } else {
        // One entry spoils the call for all: alone, each is judged for itself.
        for (const entry of batch) {
          await sendBatch([entry], result, options)
          if (result.outage !== undefined) break
        }
      }
    }
  }
}

/** For the next call of a send, which must be over within `SEND_TIMEOUT_MS` with all its calls. */
type CallOptions = () => { abortSignal: AbortSignal } | undefined

function callOptions(bounded: boolean): CallOptions {
  const deadline = performance.now() + SEND_TIMEOUT_MS
  let first = true
  return () => {
    const alone = bounded && first
    first = false
    return alone
      ? undefined
      : { abortSignal: AbortSignal.timeout(Math.max(0, Math.ceil(deadline - performance.now()))) }
  }
}

function settleFailed({ Id, Code, Message, SenderFault }: BatchResultErrorEntry, result: SendResult): void {
  if (Id === undefined) return
  const reason = [Code, Message].filter(Boolean).join(': ')
  if (NO_FAULT_OF_THE_ENTRY.test(Code ?? '')) result.outage = reason
  else result.outcomes.set(Id, outcomeOf(reason, SenderFault === true && NEVER_ACCEPTABLE.test(Code ?? '')))
}

function outcomeOf(reason: string, never: boolean): Outcome {
  return { kind: never ? 'unacceptable' : 'refused', reason }
}
