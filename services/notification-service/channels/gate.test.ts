import { expect, test, vi } from 'vitest'
import { createGate } from './gate.ts'

/** Visitors that stay until they are let go. */
function visitors(gate: ReturnType<typeof createGate>) {
  const inside: { name: string; leave: () => void }[] = []
  return {
    inside: () => inside.map(({ name }) => name),
    leave: (name: string) =>
      inside
        .splice(
          inside.findIndex((one) => one.name === name),
          1,
        )[0]
        ?.leave(),
    come: (name: string) =>
      gate.visit(() => new Promise<string>((resolve) => inside.push({ name, leave: () => resolve(name) }))),
  }
}

test('no more than the limit are inside at once; who waits comes in when one leaves, in order', async () => {
  const { inside, leave, come } = visitors(createGate({ limit: 2, longestWaitMs: 60_000 }))
  const visits = ['a', 'b', 'c', 'd'].map(come)
  await Promise.resolve()
  expect(inside()).toEqual(['a', 'b'])
  leave('b')
  expect(await visits[1]).toEqual({ kind: 'done', result: 'b' })
  await vi.waitFor(() => expect(inside()).toEqual(['a', 'c']))
  for (const name of ['a', 'c']) leave(name)
  await Promise.all(visits.slice(0, 3))
  await vi.waitFor(() => expect(inside()).toEqual(['d']))
  leave('d')
  await visits[3]
})

test('who would wait longer than allowed is sent away at once, each to a time of its own', async () => {
  let clock = 0
  const gate = createGate({ limit: 1, longestWaitMs: 0 }, () => clock)
  const { leave, come } = visitors(gate)
  const slow = come('slow')
  await Promise.resolve()
  clock = 60_000
  leave('slow')
  await slow
  // By now a visit is believed to take 12 seconds.
  const next = come('next')
  const away = [await come('x'), await come('y'), await come('z')]
  const delays = away.map((visit) => (visit.kind === 'busy' ? visit.delayMs : 0))
  expect(delays).toEqual([12_008, 24_016, 36_024])
  for (let n = 0; n < 10; n++) await come('more')
  expect(await come('late')).toEqual({ kind: 'busy', delayMs: 60_000 })
  leave('next')
  await next
})

test('who stood in line for the longest time allowed is sent away, for a second at least', async () => {
  const { leave, come } = visitors(createGate({ limit: 1, longestWaitMs: 100 }))
  const first = come('first')
  expect(await come('second')).toEqual({ kind: 'busy', delayMs: 1_000 })
  leave('first')
  await first
  const third = come('third')
  await Promise.resolve()
  leave('third')
  expect(await third).toEqual({ kind: 'done', result: 'third' })
})

test('who fails inside leaves its place to the next', async () => {
  const gate = createGate({ limit: 1, longestWaitMs: 60_000 })
  const failing = gate.visit(() => Promise.reject(new Error('stumbled')))
  const next = gate.visit(() => Promise.resolve('fine'))
  await expect(failing).rejects.toThrow('stumbled')
  expect(await next).toEqual({ kind: 'done', result: 'fine' })
})
