import { setTimeout as sleep } from 'node:timers/promises'
import { createRest } from '@product-events/outages'
import { contentHash, type InboxEvent, type Message, type Parsed } from './event.ts'
import type { Guard, Report } from './reports.ts'

/** A message whose parsing is over. `failed`: the consumer stopped while nothing could be parsed. */
export type ParsedMessage<Event> =
  { kind: 'event'; event: Event; content: string } | { kind: 'invalid'; reason: string } | { kind: 'interrupted' }

export interface Parser<Event extends InboxEvent> {
  parse(message: Message, signal: AbortSignal, onHeld?: () => void): Promise<ParsedMessage<Event>>
  failing(): string | undefined
}

/** Both are part of a primary key. */
const MOST_CHARACTERS = 255
const SEQUENCE = /^(0|[1-9][0-9]{0,37})$/

/**
 * Calls the user's `parse`. Its error is the message's failure if the last good message can still be parsed, or if
 * the body is not even JSON; otherwise `parse` itself is broken, and messages are held until it works.
 */
export function createParser<Event extends InboxEvent>(
  parse: (message: Message) => Parsed<Event>,
  report: Report<Event>,
  guard: Guard,
): Parser<Event> {
  let lastGood: Message | undefined
  let failing: string | undefined
  const rest = createRest({
    lost: (reason) => {
      failing = `parse: ${reason}`
      guard(() => report({ kind: 'away', what: 'parse', reason }))
    },
    back: (awayMs) => guard(() => report({ kind: 'back', what: 'parse', awayMs })),
  })

  function attempt(message: Message): ParsedMessage<Event> {
    const parsed = parse(message)
    const fault = parsed.kind === 'event' ? faultOf(parsed.event) : parsed.reason
    if (parsed.kind === 'invalid' || fault !== undefined) return { kind: 'invalid', reason: fault ?? '' }
    try {
      return { kind: 'event', event: parsed.event, content: contentHash(parsed.event) }
    } catch {
      // JSON.parse reads any depth, JSON.stringify does not write it.
      return { kind: 'invalid', reason: 'the payload is nested too deeply' }
    }
  }

  function isFaultOf(message: Message): boolean {
    if (!isJson(message.Body)) return true
    if (lastGood === undefined || lastGood === message) return false
    try {
      return attempt(lastGood).kind === 'event'
    } catch {
      return false
    }
  }

  return {
    async parse(message, signal, onHeld) {
      for (;;) {
        try {
          const parsed = attempt(message)
          if (parsed.kind === 'event') lastGood = message
          rest.worked()
          return parsed
        } catch (thrown) {
          const reason = thrown instanceof Error ? thrown.message || thrown.name : String(thrown)
          if (isFaultOf(message)) return { kind: 'invalid', reason }
          rest.failed(reason)
          onHeld?.()
          await sleep(rest.pauseMs(), undefined, { signal }).catch(() => {})
          if (signal.aborted) return { kind: 'interrupted' }
        }
      }
    },
    failing: () => (rest.isAway() ? failing : undefined),
  }
}

/** The fault of a parsed event, if it has one: the database would refuse it, with words that help less. */
function faultOf({ id, type, key, sequence }: InboxEvent): string | undefined {
  for (const [name, value] of [
    ['id', id],
    ['type', type],
    ['key', key ?? 'none'],
  ] as const) {
    if (typeof value !== 'string' || value === '') return `${name} must be text that is not empty`
    if (value.length > MOST_CHARACTERS) return `${name} has more than ${MOST_CHARACTERS} characters`
    if (value.includes('\0') || !value.isWellFormed()) return `${name} has characters that PostgreSQL can't store`
  }
  if (sequence !== undefined && !SEQUENCE.test(sequence))
    return 'sequence must be at most 38 decimal digits without leading zeros'
  return undefined
}

function isJson(body: string | undefined): boolean {
  try {
    JSON.parse(body ?? '')
    return true
  } catch {
    return false
  }
}
