import { age, harmless, harmlessLines, table } from '@product-events/terminal'
import type { FailedMessage } from '../failed-messages.ts'
import type { DeadLetter } from './dead-letter.ts'
import type { Depth } from './queues.ts'

/** Messages of the dead-letter queue, a line each. */
export function letterTable(letters: readonly DeadLetter[], now: number): string {
  return table(
    ['MESSAGE', 'AGE', 'FAILURES', 'TYPE', 'KEY', 'SEQUENCE', 'REASON'],
    letters.map((letter) => [
      letter.message_id,
      age(dateOf(letter.sent_at), now),
      letter.failures,
      letter.event_type,
      letter.key,
      letter.sequence,
      letter.reason,
    ]),
  )
}

/** Messages that failed lately and are still in the queue. */
export function failingTable(failing: readonly FailedMessage[], now: number): string {
  return table(
    ['MESSAGE', 'LAST FAILURE', 'FAILURES', 'EVENT', 'REASON'],
    failing.map((failed) => [
      failed.message_id,
      age(dateOf(failed.last_failed_at), now),
      failed.failures,
      failed.event_id,
      failed.reason,
    ]),
  )
}

/** One message, whole. */
export function sheet(letter: DeadLetter, now: number): string {
  const sent = letter.sent_at === null ? '-' : `${letter.sent_at}, ${age(dateOf(letter.sent_at), now)} ago`
  const failures = letter.failures === null ? '-' : `${letter.failures}, the last at ${letter.last_failed_at}`
  const facts: [string, string][] = [
    ['message', letter.message_id],
    ['event', letter.event_id ?? '-'],
    ['type', letter.event_type ?? '-'],
    ['key', letter.key ?? '-'],
    ['sequence', letter.sequence ?? '-'],
    ['sent', sent],
    ['failures', failures],
    ['reason', letter.reason],
    ...Object.entries(letter.attributes).map(([name, value]): [string, string] => [`attribute ${name}`, value]),
  ]
  const width = Math.max(...facts.map(([name]) => name.length))
  const lines = facts.map(([name, value]) => `${harmless(name).padEnd(width)}  ${harmless(value)}`)
  return `${lines.join('\n')}\n\n${harmlessLines(pretty(letter.body))}\n`
}

export function depthTable(depths: readonly (readonly [url: string, depth: Depth])[]): string {
  const headings = ['QUEUE', 'VISIBLE', 'IN FLIGHT', 'DELAYED']
  const cells = depths.map(([url, { visible, in_flight, delayed }]) => [url, visible, in_flight, delayed].map(String))
  // Not the table of the others, which cuts: the URL is there to be copied.
  const widths = headings.map((_, column) => Math.max(...[headings, ...cells].map((row) => row[column]?.length ?? 0)))
  return [headings, ...cells]
    .map(
      (row) =>
        `${row
          .map((cell, column) => harmless(cell).padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

function dateOf(text: string | null): Date | null {
  return text === null ? null : new Date(text)
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    return JSON.stringify(body)
  }
}
