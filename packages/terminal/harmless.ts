/**
 * What may move a cursor, recolour a terminal, reverse the reading direction or hide: control characters (C0, C1, DEL:
 * with them every CSI and OSC sequence), format characters (bidi, zero-width, tags), line and paragraph separators,
 * lone surrogates, and characters that are not drawn. The two selectors of emoji and text style are part of common
 * emoji.
 */
const HARMFUL = /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]--[\u{FE0E}\u{FE0F}]]/gv
const NAMED: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/**
 * Returns `text` as one line that cannot play with a terminal: each harmful character is shown as an escape, `\u{1b}`.
 */
export function harmless(text: string): string {
  return text.replaceAll(HARMFUL, escapeOf)
}

/** Returns `text` with its line breaks, each line harmless. */
export function harmlessLines(text: string): string {
  return text.split(/\r?\n/).map(harmless).join('\n')
}

/** Returns the JSON of `value`, harmless to a terminal and equal after parsing: harmful characters are escaped. */
export function harmlessJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, null, indent) ?? 'null'
  return json.replaceAll(HARMFUL, (character) => (character === '\n' ? character : jsonEscapeOf(character)))
}

/**
 * Makes a JSON log line safe to be drawn on a terminal: its texts are harmless, only a `stack` keeps its line breaks.
 */
export function harmlessLogLine(line: string): string {
  const end = line.endsWith('\n') ? '\n' : ''
  try {
    return JSON.stringify(harmlessValue(JSON.parse(line), '')) + end
  } catch {
    return harmless(line.trimEnd()) + end
  }
}

function harmlessValue(value: unknown, name: string): unknown {
  if (typeof value === 'string') return name === 'stack' ? harmlessLines(value) : harmless(value)
  if (Array.isArray(value)) return value.map((one) => harmlessValue(one, name))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [harmless(key), harmlessValue(one, key)]))
}

function escapeOf(character: string): string {
  return NAMED[character] ?? `\\u{${character.codePointAt(0)!.toString(16)}}`
}

function jsonEscapeOf(character: string): string {
  return [...Array(character.length).keys()]
    .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
    .join('')
}
