import { setTimeout as sleep } from 'node:timers/promises'
import type { Message } from '../event.ts'
import type { FailedMessage } from '../failed-messages.ts'
import { bySequence, type DeadLetter, deadLetterOf, isNamed } from './dead-letter.ts'
import { deleteDeadLetter, depthOf, giveBack, type Queues, sendAgain, takeDeadLetters } from './queues.ts'

/** In memory at once; SQS hides at most 120,000. The next call sends the rest, not in one order with these. */
const MOST_IN_HAND = 10_000
/** The least time for which messages in hand are hidden: receiving them all takes a while as well. */
const LEAST_HIDDEN_SECONDS = 120
/** The longest that SQS hides a message. */
const MOST_HIDDEN_SECONDS = 12 * 3600

export interface RedriveOptions {
  which: 'all' | ReadonlySet<string>
  dryRun: boolean
  /** Messages a second. */
  rate: number
  /** Stops after the message in hand. */
  signal: AbortSignal
  findFailures: (messageIds: string[]) => Promise<Map<string, FailedMessage>>
  /** Called for each message that was sent, or would be in a dry run. */
  onMessage: (letter: DeadLetter) => void
}

export interface Redriven {
  sent: number
  /** Sent, but still in the dead-letter queue as well: they will come twice, and the second will be a duplicate. */
  notDeleted: string[]
  /** Ids that were given and not found. */
  missing: string[]
  interrupted: boolean
}

/**
 * Sends dead letters to the queue again, by sequence for each key, and deletes each once the queue has it. However it
 * ends, nothing is lost: unsent messages are given back, and one that was sent but not deleted will be a duplicate.
 */
export async function redrive(queues: Queues, options: RedriveOptions): Promise<Redriven> {
  const { dryRun, rate, signal } = options
  const missing = new Set(options.which === 'all' ? [] : options.which)
  const result: Redriven = { sent: 0, notDeleted: [], missing: [], interrupted: false }
  // Messages of a look count as in flight, and are visible again by the time of their redrive.
  const { visible, in_flight } = await depthOf(queues.sqs, queues.deadLetterUrl)
  const count = visible + in_flight
  const seconds = Math.min(MOST_HIDDEN_SECONDS, LEAST_HIDDEN_SECONDS + Math.ceil((2 * count) / rate))
  // Of a FIFO group the next comes into sight when the one before it is gone. What fails again and comes back meanwhile
  // is left for the next call: no more than was there at first.
  while (result.sent < Math.max(1, count) && !signal.aborted) {
    const sentBefore = result.sent
    await redriveRound(queues, { ...options, seconds }, result, missing)
    if (!queues.fifo || dryRun || result.sent === sentBefore) break
    if (options.which !== 'all' && missing.size === 0) break
  }
  result.interrupted = signal.aborted
  result.missing = [...missing]
  return result
}

async function redriveRound(
  queues: Queues,
  { which, dryRun, rate, signal, seconds, findFailures, onMessage }: RedriveOptions & { seconds: number },
  result: Redriven,
  missing: Set<string>,
): Promise<void> {
  const taken: Message[] = []
  const done = new Set<Message>()
  try {
    await takeDeadLetters(queues, { limit: MOST_IN_HAND, seconds, into: taken, signal })
    const failures = await findFailures(taken.map((message) => message.MessageId ?? ''))
    const letters = taken.map((message) => ({
      message,
      letter: deadLetterOf(message, failures.get(message.MessageId ?? '')),
    }))
    const ids = which === 'all' ? undefined : [...which]
    const chosen = letters.filter(({ letter }) => ids === undefined || ids.some((id) => isNamed(letter, id)))
    const from = performance.now()
    for (const [index, { message, letter }] of bySequence(chosen, (one) => one.letter).entries()) {
      if (signal.aborted) break
      if (!dryRun) {
        await sleep(Math.max(0, from + (index * 1000) / rate - performance.now()))
        await sendAgain(queues, message)
        done.add(message)
        if (!(await deleteDeadLetter(queues, message))) result.notDeleted.push(letter.message_id)
      }
      result.sent++
      for (const id of missing) if (isNamed(letter, id)) missing.delete(id)
      onMessage(letter)
    }
  } finally {
    await giveBack(
      queues,
      taken.filter((message) => !done.has(message)),
    )
  }
}
