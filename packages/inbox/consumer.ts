import { createRest, repeat } from '@product-events/outages'
import type { InboxEvent, Message, Parsed } from './event.ts'
import type { Store } from './group-commit.ts'
import type { Processing } from './process-messages.ts'
import { createProcessing, type RecordKeeping } from './processing.ts'
import type { Receiving } from './handle-batch.ts'
import { receiveOnce, runReceivers } from './receive.ts'
import type { Report } from './reports.ts'
import type { MessageTracing } from './trace.ts'

export interface Consumer {
  /** Receives and handles until `signal` aborts; resolves when everything in hand is finished. Never rejects. */
  run(signal: AbortSignal): Promise<void>
  /** One poll and all that follows from it, for tests. Resolves with the number of messages it brought. */
  handleOnce(signal?: AbortSignal): Promise<number>
  /** Why nothing, or nothing of one type, is handled at present; undefined when all is well. For readiness. */
  failing(): string | undefined
}

/** A client of `@aws-sdk/client-sqs`, version 3. */
export interface SqsClient {
  send(command: never): Promise<unknown>
  config?: { credentials?: (options?: { forceRefresh?: boolean }) => Promise<unknown> }
}

export interface QueueConsumerOptions<Event extends InboxEvent> {
  sqs: SqsClient
  queueUrl: string
  parse: (message: Message) => Parsed<Event>
  report?: Report<Event> | undefined
  tracing?: MessageTracing | undefined
  /** Most receivers at once in this process, each with up to two batches of ten in hand. Default: 16. */
  receivers?: number | undefined
}

/** Between passes of deletion: an hour more or less does not matter when the retention is in days. */
const PRUNE_EVERY_MS = 3_600_000
/** A failed pass costs nothing but room on the disk. */
const PRUNE_RETRY_MS = 60_000
const CREDENTIALS =
  /(Expired|InvalidClientToken|UnrecognizedClient|InvalidSignature|SignatureDoesNotMatch|AccessDenied)/

/** A consumer of one queue over any store. Opens nothing until it runs. */
export function createQueueConsumer<Event extends InboxEvent>(
  { sqs, queueUrl, receivers, ...options }: QueueConsumerOptions<Event>,
  store: Store<Event>,
  records: RecordKeeping,
): Consumer {
  const processing = createProcessing(options, store, records)
  const { report, guard } = processing
  const reachable = createRest({
    lost: (reason) => guard(() => report({ kind: 'away', what: 'queue', reason })),
    back: (awayMs) => guard(() => report({ kind: 'back', what: 'queue', awayMs })),
  })

  function queueFailed(thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    reachable.failed(error.message || error.name)
    // The SDK keeps credentials until they expire by its own clock.
    if (CREDENTIALS.test(error.name)) void sqs.config?.credentials?.({ forceRefresh: true }).catch(() => {})
  }

  /** Undefined when the consumer is stopped before it finds the queue. */
  async function open(stopping: AbortSignal): Promise<Receiving<Event> | undefined> {
    // The SDK is loaded by the consumers that need it: a Lambda function does not.
    const { openQueue } = await import('./messages.ts')
    const found = new AbortController()
    const signal = AbortSignal.any([stopping, found.signal])
    let receiving: Receiving<Event> | undefined
    await repeat({
      signal,
      retryMs: 1,
      onFailed: queueFailed,
      async pass() {
        const pauseMs = reachable.pauseMs()
        if (pauseMs > 0) return pauseMs
        const queue = await openQueue(sqs, queueUrl)
        receiving = { ...processing, queue, reachable, queueFailed, stopping }
        found.abort()
        return 0
      },
    })
    return receiving
  }

  let opened: Promise<Receiving<Event> | undefined> | undefined
  return {
    async run(signal) {
      const receiving = await open(signal)
      if (receiving) await Promise.all([runReceivers(receiving, receivers), keepPruning(records, processing, signal)])
    },
    async handleOnce(signal = new AbortController().signal) {
      const receiving = await (opened ??= open(signal))
      const received = receiving && (await receiveOnce({ ...receiving, stopping: signal }))
      if (received?.kind !== 'messages') return 0
      await received.handled
      return received.messages
    },
    failing: () => processing.parser.failing() ?? processing.commits.failing(),
  }
}

/** Deletes old records until `signal` aborts. */
async function keepPruning<Event extends InboxEvent>(
  records: RecordKeeping,
  { report, guard }: Pick<Processing<Event>, 'report' | 'guard'>,
  signal: AbortSignal,
): Promise<void> {
  await repeat({
    signal,
    retryMs: PRUNE_RETRY_MS,
    onFailed: () => {},
    async pass() {
      const events = await records.prune(signal)
      if (events > 0) guard(() => report({ kind: 'pruned', events }))
      return PRUNE_EVERY_MS
    },
  })
}
