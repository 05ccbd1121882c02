import type { DeadLetter } from './dead-letter.ts'

/** Reasons may quote what somebody sent; a table's line should fit a screen. */
const REASON_LENGTH = 100

/** For machines: everything but what only SQS needs. */
export function toJson({ message, ...letter }: DeadLetter, whole = false): Record<string, unknown> {
  return whole ? { ...letter, body: message.Body, attributes: attributesOf(message) } : letter
}

export function table(letters: readonly DeadLetter[], now: number): string {
  const rows = letters.map((letter) => [
    letter.message_id,
    age(letter.sent_at, now),
    String(letter.receive_count),
    letter.event_type ?? '-',
    letter.product_id ?? '-',
    letter.sequence ?? '-',
    oneLine(letter.reason).slice(0, REASON_LENGTH),
  ])
  return align([['MESSAGE', 'AGE', 'RECEIVES', 'TYPE', 'PRODUCT', 'SEQUENCE', 'REASON'], ...rows])
}

/** One message, whole. */
export function sheet(letter: DeadLetter, now: number): string {
  const rows = [
    ['message', letter.message_id],
    ['event', letter.event_id ?? '-'],
    ['type', letter.event_type ?? '-'],
    ['product', letter.product_id ?? '-'],
    ['sequence', letter.sequence ?? '-'],
    ['sent', letter.sent_at === null ? '-' : `${letter.sent_at.toISOString()}, ${age(letter.sent_at, now)} ago`],
    ['receives', String(letter.receive_count)],
    ['reason', oneLine(letter.reason)],
    [
      'failures',
      letter.failures === null ? '-' : `${letter.failures}, the last at ${letter.last_failed_at?.toISOString()}`,
    ],
    ...Object.entries(attributesOf(letter.message)).map(([name, value]) => [`attribute ${name}`, oneLine(value)]),
  ]
  return `${align(rows)}\n\n${pretty(letter.message.Body ?? '')}`
}

/** Columns of equal width; nothing that a sender wrote may move the cursor. */
export function align(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** `3 d`, `5 h`, `12 min`, `40 s`. */
export function age(at: Date | null, now: number): string {
  if (at === null) return '-'
  const seconds = Math.max(0, Math.round((now - at.getTime()) / 1000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} d`
}

function attributesOf(message: DeadLetter['message']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [name, value.StringValue ?? '(binary)']),
  )
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    return JSON.stringify(body)
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
}
