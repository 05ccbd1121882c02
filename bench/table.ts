import type { Comparison } from './compare.ts'
import type { Summary } from './statistics.ts'

/**
 * The comparison as a Markdown table, which also reads well in a terminal: median (min–max), and in bold ours ÷ this.
 */
export function toTable({ standings, skipped }: Comparison): string {
  const figures = [...new Set(standings.flatMap((standing) => Object.keys(standing.figures)))]
  const rows = standings.map(({ name, figures: summaries, oursToTheirs }) => [
    name,
    ...figures.map((figure) => {
      const [summary, ratio] = [summaries[figure], oursToTheirs[figure]]
      return [summary && range(summary), ratio && `**${round(ratio.median)}**`].filter(Boolean).join(' ')
    }),
  ])
  const header = ['', ...figures]
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column]!.length)))
  const line = (cells: string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  const notHere = skipped.map(({ name, reason }) => `skipped: ${name} (${reason})`)
  return [line(header), rule, ...rows.map(line), ...(notHere.length > 0 ? ['', ...notHere] : [])].join('\n')
}

function range({ median, min, max }: Summary): string {
  return min === max ? round(median) : `${round(median)} (${round(min)}–${round(max)})`
}

/** Three digits that mean something; thousands apart. */
export function round(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)))
  return value.toLocaleString('en', { maximumFractionDigits: Math.min(digits, 3) })
}
