/** One picture of a terminal: a command and its output. */
export interface Terminal {
  title: string
  command: string
  output: string
}

/** Readable at the width of a README, and what most terminals have at least. */
export const COLUMNS = 112

/**
 * Letters are whole pixels apart, and so are lines. So each letter looks the same wherever it stands, which makes a
 * picture a third as large.
 */
const STYLE = `
body { margin: 0; padding: 10px; background: #fff; width: max-content }
main { background: #1d1f24; border-radius: 6px; overflow: hidden; color: #d6d8dc;
  font: 13px/19px "DejaVu Sans Mono", "Noto Color Emoji", monospace; letter-spacing: calc(8px - 1ch) }
header { background: #2b2e35; color: #9aa0aa; padding: 4px 12px; font-size: 12px }
pre { margin: 0; padding: 10px 12px 12px; font: inherit }
.typed { color: #fff; font-weight: bold } .dim { color: #8a909a } .key { color: #7fb4e0 } .text { color: #b9d09a }
.good { color: #8fce7a } .bad { color: #e08a7a }`

/** A page that looks like a terminal: dark, and with nothing in it but the text. */
export function terminalPage({ title, command, output }: Terminal): string {
  const lines = output
    .trimEnd()
    .split('\n')
    .flatMap((line) => wrap(paint(line), COLUMNS))
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${escape(title)}</title><style>${STYLE}</style>
<main><header>${escape(title)}</header><pre><span class="dim">$</span> <span class="typed">${escape(command)}</span>
${lines.map(toHtml).join('\n')}</pre></main></html>
`
}

/** A piece of a line, and the class of its colour: none for most. */
type Piece = [text: string, colour?: 'key' | 'text' | 'good' | 'dim']

/** Names and texts of JSON, verdicts and headings have colours. */
function paint(line: string): Piece[] {
  if (/^ +ok: /.test(line)) return [[line, 'good']]
  if (/^(---|#) /.test(line)) return [[line, 'dim']]
  const pieces = line.matchAll(/("(?:[^"\\]|\\.)*")(:?)|[^"]+|"/g)
  return [...pieces].flatMap(([piece, quoted, colon]): Piece[] => {
    if (quoted === undefined) return [[piece]]
    return colon ? [[quoted, 'key'], [':']] : [[quoted, 'text']]
  })
}

/** Breaks a line where a reader would: before a name of JSON, or between words, or at the last column. */
export function wrap(line: Piece[], columns: number): Piece[][] {
  const text = line.map(([piece]) => piece).join('')
  if (text.length <= columns) return [line]
  const half = text.slice(0, columns + 1)
  const breaks = [half.lastIndexOf(',"') + 1, half.lastIndexOf(' ') + 1].filter((at) => at > columns / 2)
  const at = breaks[0] ?? columns
  const indent = /^ *\d{3} +|^ *(?=\{)|^ */.exec(text)?.[0].length || 2
  const rest: Piece[] = [[' '.repeat(indent)], ...cut(line, at, text.length)]
  return [cut(line, 0, at), ...wrap(rest, columns)]
}

/** The characters of a line from one place to another, each in its colour. */
function cut(line: Piece[], from: number, to: number): Piece[] {
  let start = 0
  return line.flatMap(([text, colour]): Piece[] => {
    const piece = text.slice(Math.max(0, from - start), Math.max(0, to - start))
    start += text.length
    return piece === '' ? [] : [colour ? [piece, colour] : [piece]]
  })
}

function toHtml(line: Piece[]): string {
  return line
    .map(([text, colour]) => (colour ? `<span class="${colour}">${escape(text)}</span>` : escape(text)))
    .join('')
}

/** Nothing that a service answers or logs becomes a part of the page. */
export function escape(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')
}
