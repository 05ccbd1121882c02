import { expect, test } from 'vitest'
import { compare } from './compare.ts'

test('rounds are interleaved, and the ratio is taken within each round', async () => {
  const order: string[] = []
  const contestant = (name: string, speeds: number[]) => ({
    name,
    round: async () => {
      order.push(name)
      return { 'events/s': speeds.shift()! }
    },
  })
  const arena = { contestants: [contestant('ours', [100, 50, 80]), contestant('theirs', [50, 25, 80])], skipped: [] }
  const { standings } = await compare(arena, 3, () => {})
  expect(order).toEqual(['ours', 'theirs', 'ours', 'theirs', 'ours', 'theirs'])
  expect(standings[1]!.figures['events/s']).toEqual({ median: 50, min: 25, max: 80 })
  expect(standings[1]!.oursToTheirs['events/s']).toEqual({ median: 2, min: 1, max: 2 })
})

test('a ratio is to whom a contestant is measured beside, and what only one of them measured has none', async () => {
  const contestant = (name: string, beside: string, figures: Record<string, number>) => ({
    name,
    beside,
    round: async () => figures,
  })
  const contestants = [
    contestant('ours, 1', 'ours, 1', { rate: 10, heap: 1 }),
    contestant('ours, 64', 'ours, 64', { rate: 60, heap: 1 }),
    contestant('theirs, 64', 'ours, 64', { rate: 20, mean: 3 }),
  ]
  const { standings } = await compare({ contestants, skipped: [] }, 1, () => {})
  expect(standings.map(({ oursToTheirs }) => Object.keys(oursToTheirs))).toEqual([[], [], ['rate']])
  expect(standings[2]!.oursToTheirs.rate!.median).toBe(3)
})

test('a contestant that fails is told with its reason, and costs the others nothing', async () => {
  let rounds = 0
  const failing = { name: 'theirs', round: () => Promise.reject(new Error('no such table')) }
  const ours = { name: 'ours', round: async () => ({ rate: ++rounds }) }
  const { standings, skipped } = await compare({ contestants: [ours, failing], skipped: [] }, 3, () => {})
  expect(standings.map(({ name }) => name)).toEqual(['ours'])
  expect(standings[0]!.figures.rate).toEqual({ median: 2, min: 1, max: 3 })
  expect(skipped).toEqual([{ name: 'theirs', reason: 'failed in round 1: no such table' }])
})
