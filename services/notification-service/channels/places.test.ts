import { expect, test } from 'vitest'
import { createPlaces } from './places.ts'

/** Work that goes on until it is ended. */
function work(places: ReturnType<typeof createPlaces>) {
  const underWay: { name: string; end: () => void }[] = []
  return {
    underWay: () => underWay.map(({ name }) => name),
    end: (name: string) =>
      underWay
        .splice(
          underWay.findIndex((one) => one.name === name),
          1,
        )[0]
        ?.end(),
    begin: (name: string) =>
      places.occupy(() => new Promise<string>((resolve) => underWay.push({ name, end: () => resolve(name) }))),
  }
}

test('no more than the limit is under way at once; what waits gets a place when one ends, in order', async () => {
  const { underWay, end, begin } = work(createPlaces({ limit: 2, longestWaitMs: 60_000, longestStayMs: 60_000 }))
  const begun = ['a', 'b', 'c', 'd'].map(begin)
  await Promise.resolve()
  expect(underWay()).toEqual(['a', 'b'])
  end('b')
  expect(await begun[1]).toEqual({ kind: 'done', result: 'b' })
  await expect.poll(underWay).toEqual(['a', 'c'])
  for (const name of ['a', 'c']) end(name)
  await Promise.all(begun.slice(0, 3))
  await expect.poll(underWay).toEqual(['d'])
  end('d')
  await begun[3]
})

test('work that would wait too long is postponed at once, each to a time of its own', async () => {
  let clock = 0
  const places = createPlaces({ limit: 1, longestWaitMs: 0, longestStayMs: 600_000 }, () => clock)
  const { end, begin } = work(places)
  const slow = begin('slow')
  await Promise.resolve()
  clock = 60_000
  end('slow')
  await slow
  // By now a visit is believed to take 12 seconds.
  const next = begin('next')
  const away = [await begin('x'), await begin('y'), await begin('z')]
  const delays = away.map((one) => (one.kind === 'busy' ? one.delayMs : 0))
  expect(delays).toEqual([12_008, 24_016, 36_024])
  for (let n = 0; n < 10; n++) await begin('more')
  expect(await begin('late')).toEqual({ kind: 'busy', delayMs: 60_000 })
  end('next')
  await next
})

test('work that waited for the longest time allowed is postponed, for a second at least', async () => {
  const { end, begin } = work(createPlaces({ limit: 1, longestWaitMs: 100, longestStayMs: 60_000 }))
  const first = begin('first')
  expect(await begin('second')).toEqual({ kind: 'busy', delayMs: 1_000 })
  end('first')
  await first
  const third = begin('third')
  await Promise.resolve()
  end('third')
  expect(await third).toEqual({ kind: 'done', result: 'third' })
})

test('work that fails frees its place', async () => {
  const places = createPlaces({ limit: 1, longestWaitMs: 60_000, longestStayMs: 60_000 })
  const failing = places.occupy(() => Promise.reject(new Error('stumbled')))
  const next = places.occupy(() => Promise.resolve('fine'))
  await expect(failing).rejects.toThrow('stumbled')
  expect(await next).toEqual({ kind: 'done', result: 'fine' })
})

test('work that never ends loses its place to the next after its time', async () => {
  const places = createPlaces({ limit: 1, longestWaitMs: 60_000, longestStayMs: 50 })
  const stuck = places.occupy(() => new Promise(() => {}))
  const next = places.occupy(() => Promise.resolve('fine'))
  expect(await stuck).toEqual({ kind: 'overdue' })
  expect(await next).toEqual({ kind: 'done', result: 'fine' })
})
