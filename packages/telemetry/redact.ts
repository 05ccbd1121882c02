const SCHEME_END = '://'
/** User and password of `scheme://user:password@host`, from behind the `//`. Sticky: it looks at one place only. */
const CREDENTIALS = /([^\s:/@]*):[^\s@/]*@/y

/**
 * Hides the password of every connection string in `text`. Takes time proportional to its length, whatever it contains:
 * a match ends before the next `//`, so no character is read more than twice.
 */
export function redact(text: string): string {
  let end = text.indexOf(SCHEME_END)
  if (end === -1) return text
  const parts: string[] = []
  let copied = 0
  for (; end !== -1; end = text.indexOf(SCHEME_END, end + SCHEME_END.length)) {
    CREDENTIALS.lastIndex = end + SCHEME_END.length
    const user = CREDENTIALS.exec(text)?.[1]
    if (user === undefined) continue
    parts.push(text.slice(copied, end + SCHEME_END.length + user.length), ':***@')
    copied = CREDENTIALS.lastIndex
  }
  return parts.join('') + text.slice(copied)
}

/** A request's line takes 300 bytes, one with a stack trace 2,000. Callers decide about the length of longer lines. */
const MAX_LINE = 4_096
const MAX_STRING = 1_000
const MAX_ENTRIES = 20
/** What identifies a line that is too long even with its fields cut. */
const ALWAYS_KEPT = ['level', 'time', 'service', 'request_id', 'event_id', 'message_id', 'msg']

/** The line with its fields cut when it is longer than 4,096 characters, so that no input can fill a log. */
export function cutLine(line: string): string {
  if (line.length <= MAX_LINE) return line
  const fields = JSON.parse(line) as Record<string, unknown>
  const kept = Object.fromEntries(ALWAYS_KEPT.map((name) => [name, cut(fields[name])]))
  const text = JSON.stringify({ ...(cut(fields) as object), ...kept })
  return `${text.length <= MAX_LINE * 4 ? text : JSON.stringify(kept)}\n`
}

function cut(value: unknown): unknown {
  if (typeof value === 'string') return cutText(value, MAX_STRING)
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map(cut)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).slice(0, MAX_ENTRIES)
  return Object.fromEntries(entries.map(([name, field]) => [cutText(name, MAX_STRING), cut(field)]))
}

/**
 * The first `length` UTF-16 units of `text`, without half of a surrogate pair at the end, and how many were left out.
 */
export function cutText(text: string, length: number): string {
  if (text.length <= length) return text
  const end = /[\ud800-\udbff]/.test(text.charAt(length - 1)) ? length - 1 : length
  return `${text.slice(0, end)}… (${text.length - end} characters left out)`
}
