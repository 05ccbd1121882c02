import { setTimeout as sleep } from 'node:timers/promises'
import { outageBackoffMs, type Rest } from '@product-events/outages'
import type { InboxEvent, Message } from './event.ts'
import { type Hidden, keepHidden } from './keep-hidden.ts'
import type { FailedEntry, Queue } from './messages.ts'
import { type Fate, type Processing, processMessage } from './process-messages.ts'

/** Shared by the receivers of one process. */
export interface Receiving<Event extends InboxEvent> extends Processing<Event> {
  queue: Queue
  /** Whether SQS answers, and how long to rest while it does not. */
  reachable: Rest
  /** Called with the error of each failed call. */
  queueFailed: (error: unknown) => void
  /** Aborts when the process stops: no new receive, no new try. Work in hand is finished. */
  stopping: AbortSignal
}

/**
 * Not 0: the embedded SQS, when it keeps its data on disk, fails at that, and shows the message only after a restart.
 */
const GIVE_BACK_SECONDS = 1
/** A delete that fails at first is retried for some seconds; then the message comes again, and is a duplicate. */
const MOST_DELETE_ATTEMPTS = 5

/**
 * Handles one batch: parse → store new events → delete.
 *
 * A message is deleted only after its effect is durable, or was before. One that is not an event, or that alone can't
 * be stored, is left: it becomes visible again and ends in the dead-letter queue, without its neighbours, also of its
 * own group on a FIFO queue.
 *
 * While the database is unreachable the messages are held and kept hidden, not given back: every receive counts towards
 * the dead-letter queue, and an outage must not send good messages there.
 */
export async function handleBatch<Event extends InboxEvent>(
  receiving: Receiving<Event>,
  messages: readonly Message[],
): Promise<void> {
  const { guard, report, queueFailed, stopping } = receiving
  const from = performance.now()
  const hidden = keepHidden(receiving.queue, messages, {
    notHidden: (entries) => guard(() => report({ kind: 'not-hidden', entries })),
    failed: queueFailed,
  })
  const fates = new Map<Message, Fate>()
  let onHeld = () => {}
  const someAreHeld = new Promise<void>((resolve) => (onHeld = resolve))
  const all = Promise.all(
    messages.map(async (message) => fates.set(message, await processMessage(receiving, message, stopping, onHeld))),
  )
  // Those that are done need not wait for those that are held.
  await Promise.race([all, someAreHeld])
  await finish(receiving, hidden, takeAll(fates))
  await all
  await finish(receiving, hidden, takeAll(fates))
  guard(() => report({ kind: 'handled', messages: messages.length, seconds: (performance.now() - from) / 1000 }))
}

function takeAll(fates: Map<Message, Fate>): [Message, Fate][] {
  const taken = [...fates]
  fates.clear()
  return taken
}

async function finish<Event extends InboxEvent>(
  receiving: Receiving<Event>,
  hidden: Hidden,
  fates: readonly [Message, Fate][],
): Promise<void> {
  if (fates.length === 0) return
  await hidden.release(fates.map(([message]) => message))
  const of = (wanted: Fate) => fates.flatMap(([message, fate]) => (fate === wanted ? [message] : []))
  await deleteHandled(receiving, of('done'))
  await giveBack(receiving, of('given back'))
}

/** The event of a message that could not be deleted is stored: the message comes again, and is a duplicate. */
async function deleteHandled<Event extends InboxEvent>(receiving: Receiving<Event>, done: Message[]): Promise<void> {
  const { queue, guard, report, queueFailed, stopping } = receiving
  let left = done
  let failed: FailedEntry[] = []
  const lasting: FailedEntry[] = []
  for (let attempt = 1; left.length > 0; attempt++) {
    try {
      failed = await queue.delete(left)
      lasting.push(...failed.filter((entry) => !entry.retry))
      failed = failed.filter((entry) => entry.retry)
      const ids = new Set(failed.map((entry) => entry.message_id))
      left = left.filter((message) => ids.has(message.MessageId ?? ''))
    } catch (error) {
      queueFailed(error)
    }
    if (left.length === 0 || attempt === MOST_DELETE_ATTEMPTS || stopping.aborted) break
    await sleep(outageBackoffMs(attempt), undefined, { signal: stopping }).catch(() => {})
  }
  const entries = [...lasting, ...failed]
  if (entries.length > 0) guard(() => report({ kind: 'not-deleted', entries }))
}

async function giveBack<Event extends InboxEvent>(receiving: Receiving<Event>, messages: Message[]): Promise<void> {
  try {
    await receiving.queue.hide(messages, GIVE_BACK_SECONDS)
  } catch (error) {
    // They become visible automatically, a little later.
    receiving.queueFailed(error)
  }
}
