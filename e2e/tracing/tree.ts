import type { CollectedSpan } from './collector.ts'

/** Spans below one another by their parents; a span whose parent is not among them stands at the left. */
export interface Branch {
  span: CollectedSpan
  branches: Branch[]
}

export function treeOf(spans: readonly CollectedSpan[]): Branch[] {
  const known = new Set(spans.map(({ spanId }) => spanId))
  const below = (parent: string | undefined): Branch[] =>
    spans
      .filter(({ parentSpanId }) =>
        parent === undefined ? parentSpanId === undefined || !known.has(parentSpanId) : parentSpanId === parent,
      )
      .toSorted((one, other) => one.startMs - other.startMs)
      .map((span) => ({ span, branches: below(span.spanId) }))
  return below(undefined)
}

/** The tree as text: one line a span, with its service, its kind, when it began and how long it took. */
export function printTree(spans: readonly CollectedSpan[]): string {
  const from = Math.min(...spans.map(({ startMs }) => startMs))
  const rows = treeOf(spans).flatMap((branch) => linesOf(branch, '', ''))
  const width = Math.max(...rows.map(({ text }) => text.length))
  const service = Math.max(...rows.map(({ span }) => span.service.length))
  return rows
    .map(({ text, span }) =>
      [
        text.padEnd(width),
        span.service.padEnd(service),
        span.kind.padEnd(8),
        `+${(span.startMs - from).toFixed(1)} ms`.padStart(12),
        `${(span.endMs - span.startMs).toFixed(1)} ms`.padStart(10),
        span.failed ? 'failed' : '',
        span.links.length > 0 ? `links to ${span.links.length}` : '',
      ]
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

interface Row {
  text: string
  span: CollectedSpan
}

function linesOf({ span, branches }: Branch, here: string, below: string): Row[] {
  return [
    { text: here + span.name, span },
    ...branches.flatMap((branch, index) =>
      index === branches.length - 1
        ? linesOf(branch, `${below}└─ `, `${below}   `)
        : linesOf(branch, `${below}├─ `, `${below}│  `),
    ),
  ]
}

/** Names only, each indented by two spaces below its parent: what a test compares. */
export function outline(spans: readonly CollectedSpan[]): string[] {
  const lines = (branches: Branch[], indent: string): string[] =>
    branches.flatMap(({ span, branches: children }) => [
      `${indent}${span.service}: ${span.name}`,
      ...lines(children, `${indent}  `),
    ])
  return lines(treeOf(spans), '')
}
