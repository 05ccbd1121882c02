import type { BatchResultErrorEntry, SendMessageBatchRequestEntry } from '@aws-sdk/client-sqs'
import { type OutboxEvent, type Send, SEND_TIMEOUT_MS, type SendResult } from './send.ts'
import { type Entry, MAX_BYTES, pack, toEntry } from './sqs-entry.ts'

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const MAX_ENTRIES = 10
/** Errors about the message itself, not about the service or our rights: a retry fails alike. */
const NEVER_ACCEPTABLE =
  /(InvalidMessageContents|InvalidParameter|InvalidParameterValue|InvalidParameterCombination|InvalidAttributeValue|InvalidAttributeName|MissingParameter|MessageTooLong|BatchRequestTooLong)(Exception)?$/
/** Of these, the errors about the content: only the message can be to blame. The others may mean a wrong queue. */
const BAD_CONTENT = /(InvalidMessageContents|MessageTooLong|BatchRequestTooLong)(Exception)?$/
/** Errors of one entry that are the whole service's: it had no room at that moment. */
const THROTTLED = /(Throttl|TooManyRequests|OverLimit)/i
/** The answer of a working target to a call without entries. It has checked the sender's rights before. */
const EMPTY_BATCH = /EmptyBatchRequest(Exception)?$/
/** Errors after which the credentials are asked for again: they expired, or were replaced before that. */
const CREDENTIALS = /(ExpiredToken|TokenRefreshRequired|InvalidClientTokenId|UnrecognizedClient|InvalidAccessKeyId)/

/** SQS or SNS: both take batches of ten entries alike, and answer for each entry. */
export interface BatchTarget {
  fifo: boolean
  /** The largest batch, in bytes. A larger entry is sent alone. */
  batchBytes: number
  /** True: each call ends within `SEND_TIMEOUT_MS` without an `abortSignal`. */
  bounded: boolean
  call: (entries: SendMessageBatchRequestEntry[], options: ReturnType<CallOptions>) => Promise<BatchAnswer>
  refreshCredentials: () => Promise<unknown>
}

interface BatchAnswer {
  Successful?: { Id?: string | undefined }[] | undefined
  Failed?: BatchResultErrorEntry[] | undefined
}

/** Sends in batches within the limits of the target, and says whose failure each failure is. */
export function sendInBatches({ fifo, batchBytes, bounded, call, refreshCredentials }: BatchTarget): Send {
  /** True once the target has accepted something: then a call that fails for its parameters is its message's fault. */
  let hasAccepted = false

  return async (events) => {
    const result: Result = { outcomes: new Map(), suspects: [] }
    const options = callOptions(bounded)
    if (events.length === 0) await sendBatch([], result, options)
    for (const batch of pack(entriesOf(events, fifo, result), MAX_ENTRIES, batchBytes)) {
      await sendBatch(batch, result, options)
      if (result.outage !== undefined) break
    }
    for (const { event, reason } of result.suspects) {
      if (hasAccepted) result.outcomes.set(event.id, { kind: 'unacceptable', reason })
      else result.outage ??= reason
    }
    return { outcomes: result.outcomes, outage: result.outage }
  }

  async function sendBatch(batch: Entry[], result: Result, options: CallOptions): Promise<void> {
    try {
      const entries = batch.map(({ entry }) => entry)
      const { Successful = [], Failed = [] } = await call(entries, options())
      for (const { Id } of Successful) if (Id !== undefined) result.outcomes.set(Id, { kind: 'accepted' })
      for (const failed of Failed) settleFailed(failed, result)
      hasAccepted ||= Successful.length > 0
    } catch (error) {
      await settleError(error as Error, batch, result, options)
    }
  }

  async function settleError(failure: Error, batch: Entry[], result: Result, options: CallOptions): Promise<void> {
    const reason = `${failure.name}: ${failure.message}`
    if (batch.length === 0 && EMPTY_BATCH.test(failure.name)) return
    if (!NEVER_ACCEPTABLE.test(failure.name)) {
      result.outage = reason
      // Not waited for: the next send comes after a rest.
      if (CREDENTIALS.test(failure.name)) void refreshCredentials().catch(() => {})
      return
    }
    const [{ event } = { event: undefined }, ...others] = batch
    if (event === undefined) return
    if (others.length === 0 && BAD_CONTENT.test(failure.name))
      result.outcomes.set(event.id, { kind: 'unacceptable', reason })
    else if (others.length === 0) result.suspects.push({ event, reason })
    // One entry spoils the call for all: alone, each is judged for itself.
    else for (const entry of batch) if (result.outage === undefined) await sendBatch([entry], result, options)
  }
}

/** The verdicts of a send so far. */
interface Result extends SendResult {
  /** Events whose call failed for its parameters while nothing proves that the queue takes any message. */
  suspects: { event: OutboxEvent; reason: string }[]
}

/**
 * The entries that may be sent. An event of which no message can be made, or one that is too large, gets its outcome.
 */
function entriesOf(events: readonly OutboxEvent[], fifo: boolean, { outcomes }: SendResult): Entry[] {
  const entries: Entry[] = []
  for (const event of events) {
    try {
      const entry = toEntry(event, fifo)
      if (entry.bytes <= MAX_BYTES) entries.push(entry)
      else {
        const reason = `too large: ${entry.bytes} bytes with attributes, and the limit is ${MAX_BYTES}`
        outcomes.set(event.id, { kind: 'unacceptable', reason })
      }
    } catch (error) {
      // A probe tells a bad event from a bug that fails every event: then nothing is to blame for it.
      toEntry(PROBE, fifo)
      outcomes.set(event.id, {
        kind: 'unacceptable',
        reason: `no message can be made of it: ${(error as Error).message}`,
      })
    }
  }
  return entries
}

const PROBE: OutboxEvent = {
  id: '0',
  eventId: '00000000-0000-0000-0000-000000000000',
  key: 'key',
  lane: 0,
  type: 'type',
  payload: '{}',
  headers: { name: 'value' },
  attempts: 0,
  redriven: 0,
  createdAt: new Date(0),
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

function settleFailed({ Id, Code = '', Message, SenderFault }: BatchResultErrorEntry, result: SendResult): void {
  if (Id === undefined) return
  const reason = [Code, Message].filter(Boolean).join(': ')
  if (THROTTLED.test(Code)) result.outage = reason
  else if (SenderFault !== true) result.outcomes.set(Id, { kind: 'not-taken', reason })
  else result.outcomes.set(Id, { kind: NEVER_ACCEPTABLE.test(Code) ? 'unacceptable' : 'refused', reason })
}
