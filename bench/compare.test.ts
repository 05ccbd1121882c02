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
  const arena = {
    contestants: [contestant('ours', [100, 50, 80]), contestant('theirs', [50, 25, 80])],
    skipped: [],
    close: async () => {},
  }
  const { standings } = await compare(arena, 3, () => {})
  expect(order).toEqual(['ours', 'theirs', 'ours', 'theirs', 'ours', 'theirs'])
  expect(standings[1]!.figures['events/s']).toEqual({ median: 50, min: 25, max: 80 })
  expect(standings[1]!.oursToTheirs['events/s']).toEqual({ median: 2, min: 1, max: 2 })
})
