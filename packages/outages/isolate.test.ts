import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { isolate } from './isolate.ts'

const outage = new Error('connection refused')
const isOutage = (error: Error) => error === outage

/** Refuses every part with one of `bad` in it, and counts the attempts. */
function refusing(bad: readonly number[]) {
  let attempts = 0
  const attempt = (part: readonly number[]) => {
    attempts++
    const culprit = part.find((item) => bad.includes(item))
    return culprit === undefined ? Promise.resolve() : Promise.reject(new Error(`refuses ${culprit}`))
  }
  return { attempt, attempts: () => attempts }
}

const works = () => Promise.resolve()
const fails = () => Promise.reject(new Error('permission denied'))

describe('an item is to blame only if something else succeeds', () => {
  test('the culprits are found, whatever they are, and all others are done in their order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.subarray(Array.from({ length: 40 }, (_, index) => index)), async (bad) => {
        const items = Array.from({ length: 40 }, (_, index) => index)
        const { attempt, attempts } = refusing(bad)
        const { done, culprits, left } = await isolate(items, { attempt, isOutage, probe: works })
        expect(culprits.map(({ item }) => item)).toEqual(bad)
        expect(done).toEqual(items.filter((item) => !bad.includes(item)))
        expect(left).toEqual([])
        expect(attempts()).toBeLessThanOrEqual(1 + 2 * bad.length * 7)
      }),
    )
  })

  test('a lone item is to blame if the probe succeeds', async () => {
    const result = await isolate([1], { attempt: fails, isOutage, probe: works })
    expect(result.culprits).toMatchObject([{ item: 1, error: { message: 'permission denied' } }])
  })

  test('nothing is to blame if the dependency heals between the attempt and the probe', async () => {
    let heals = false
    const attempt = () => (heals ? Promise.resolve() : fails())
    const probe = () => {
      heals = true
      return Promise.resolve()
    }
    expect(await isolate([1, 2], { attempt, isOutage, probe })).toEqual({ done: [1, 2], culprits: [], left: [] })
  })

  test('nothing is to blame if everything fails alike, and few attempts find that out', async () => {
    let attempts = 0
    const attempt = () => {
      attempts++
      return fails()
    }
    const items = Array.from({ length: 1_000 }, (_, index) => index)
    const result = await isolate(items, { attempt, isOutage, probe: fails })
    expect(result).toMatchObject({ done: [], culprits: [], left: items, outage: { message: 'permission denied' } })
    expect(attempts).toBeLessThanOrEqual(12)
  })

  test('an outage in the middle keeps what is done and leaves the rest', async () => {
    let calls = 0
    const attempt = (part: readonly number[]) => {
      if (part.includes(1)) return Promise.reject(new Error('refuses 1'))
      return ++calls > 1 ? Promise.reject(outage) : Promise.resolve()
    }
    const result = await isolate([0, 1, 2, 3], { attempt, isOutage, probe: works })
    expect(result).toMatchObject({ done: [0], culprits: [{ item: 1 }], left: [2, 3], outage })
  })
})
