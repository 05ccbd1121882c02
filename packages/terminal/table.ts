import { harmless } from './harmless.ts'

/** A wider cell is cut: a row should fit a terminal. */
const MAX_WIDTH = 60
/** Characters that a terminal draws two columns wide, and those that take none. */
const WIDE = /[\p{Emoji_Presentation}\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFF00-\uFF60]/v
const NO_WIDTH = /[\p{M}\u{FE0E}\u{FE0F}]/v

export type Cell = string | number | null | undefined

/**
 * Aligns rows below their headings; an empty heading row may be left out. Cells are harmless, and cut at 60 columns.
 */
export function table(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = [headings, ...rows].map((row) => row.map((cell) => cut(harmless(String(cell ?? '-')))))
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => columns(row[column] ?? ''))))
  const shown = headings.every((heading) => heading === '') ? cells.slice(1) : cells
  return shown
    .map(
      (row) =>
        `${row
          .map((cell, column) => padded(cell, widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

/** How many columns of a terminal `text` takes. */
function columns(text: string): number {
  return Array.from(text).reduce(
    (sum, character) => sum + (NO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1),
    0,
  )
}

function padded(cell: string, width: number): string {
  return cell + ' '.repeat(Math.max(0, width - columns(cell)))
}

/** Cuts between code points, so that no half of an emoji is left. */
function cut(text: string): string {
  if (text.length <= MAX_WIDTH && columns(text) <= MAX_WIDTH) return text
  let width = 0
  let kept = ''
  for (const character of text) {
    width += columns(character)
    // Marks have no width: without the bound on length a cell of them would never end.
    if (width >= MAX_WIDTH || kept.length > 4 * MAX_WIDTH) return `${kept}…`
    kept += character
  }
  return kept
}

/** `0.4 s`, `12 s`, `3 min`, `5 h`, `4 d`: as exact as a glance needs. */
export function duration(seconds: number): string {
  if (seconds < 0) return `-${duration(-seconds)}`
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 120 * 60) return `${Math.round(seconds / 60)} min`
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} d`
}

/** The time between `at` and `now` (milliseconds), as `duration`; a dash when `at` is not known. */
export function age(at: Date | null | undefined, now: number): string {
  return at ? duration(Math.max(0, (now - at.getTime()) / 1000)) : '-'
}

/** `0-31, 40`: whole numbers in ascending order, as ranges. */
export function ranges(numbers: readonly number[]): string {
  const parts: [number, number][] = []
  for (const number of numbers) {
    const last = parts.at(-1)
    if (last && last[1] + 1 === number) last[1] = number
    else parts.push([number, number])
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ')
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
