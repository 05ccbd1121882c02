import { expect, test } from 'vitest'
import { createEvidence } from './evidence.ts'
import type { Entry } from './group-commit.ts'
import { isolateKind } from './isolate-kind.ts'

function change(key: string, sequence: string): Entry {
  return {
    message: {},
    event: { id: `${key}-${sequence}`, type: 'changed', key, sequence, payload: null },
    content: '',
  }
}

test('events of one key are stored by sequence, also when an earlier one failed before', async () => {
  const [second, first, other, third] = [change('a', '2'), change('a', '1'), change('b', '7'), change('a', '10')]
  const evidence = createEvidence()
  evidence.failed(first)
  const stored: string[][] = []
  const { outcomes } = await isolateKind([second, first, other, third], {
    kind: '',
    evidence,
    store(part) {
      stored.push(part.map(({ event }) => event.id))
      return Promise.resolve(part.map(({ event }) => ({ kind: 'stored', delaySeconds: Number(event.sequence) })))
    },
    probe: () => Promise.resolve(true),
    isOutage: () => false,
  })

  expect(stored).toEqual([['a-1', 'b-7', 'a-2', 'a-10']])
  // Each entry has the result of its own event.
  for (const entry of [second, first, other, third])
    expect(outcomes.get(entry)).toEqual({ kind: 'stored', delaySeconds: Number(entry.event.sequence) })
})
