import { expect, test } from 'vitest'
import type { CollectedSpan } from './collector.ts'
import { outline, printTree } from './tree.ts'

function span(
  spanId: string,
  parentSpanId: string | undefined,
  startMs: number,
  more: Partial<CollectedSpan> = {},
): CollectedSpan {
  const rest = { service: 'one', traceId: 't', kind: 'client' as const, attributes: {}, links: [], failed: false }
  return { ...rest, spanId, parentSpanId, name: spanId.toUpperCase(), startMs, endMs: startMs + 1.5, ...more }
}

/** The parent of the first is not among them: it is another's. */
const spans = [
  span('d', 'a', 9, { failed: true, service: 'other' }),
  span('a', 'caller', 1, { kind: 'server' }),
  span('c', 'b', 4, { links: [{ traceId: 't', spanId: 'x' }] }),
  span('b', 'a', 2),
]

test('spans stand below their parents, in the order in which they began', () => {
  expect(outline(spans)).toEqual(['one: A', '  one: B', '    one: C', '  other: D'])
})

test('a tree is printed with kinds and times', () => {
  expect(printTree(spans).split('\n')).toEqual([
    'A        one    server         +0.0 ms      1.5 ms',
    '├─ B     one    client         +1.0 ms      1.5 ms',
    '│  └─ C  one    client         +3.0 ms      1.5 ms    links to 1',
    '└─ D     other  client         +8.0 ms      1.5 ms  failed',
  ])
})
