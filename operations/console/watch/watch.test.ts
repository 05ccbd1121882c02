import { expect, test, vi } from 'vitest'
import type { Snapshot } from '../answers.ts'
import type { Sources } from './survey.ts'
import { createWatch } from './watch.ts'

const backlog = { pending: 0, failed: 0, dead: 0, oldest_seconds: 0 }
const lanes = { owners: [], relays: [] }

/** Sources that count how often they are asked. */
function counted(): { sources: Sources; asked: () => number } {
  let asked = 0
  const count =
    <Value>(value: Value) =>
    async () => {
      asked++
      return value
    }
  const history = { read: count(undefined), points: () => [] }
  const sources: Sources = {
    instances: [],
    readProducts: count({ backlog, lanes, events: [] }),
    readNotifications: count({ backlog, lanes, stored: new Map(), failing: [], disabled: [] }),
    readQueue: count({ visible: 0, in_flight: 0, delayed: 0, dead_letters: 0 }),
    written: history,
    notified: history,
  }
  return { sources, asked: () => asked }
}

test('ten viewers cost what one does, and nobody costs nothing', async () => {
  vi.useFakeTimers()
  try {
    const { sources, asked } = counted()
    const watch = createWatch(sources)
    const during = async (ms: number) => {
      const before = asked()
      await vi.advanceTimersByTimeAsync(ms)
      return asked() - before
    }
    expect(await during(10_000)).toBe(0)
    const seen: number[] = []
    const leave = [watch.enter(() => seen.push(0))]
    await during(10_000)
    const one = await during(60_000)
    for (let viewer = 1; viewer < 10; viewer++) leave.push(watch.enter(() => seen.push(viewer)))
    const ten = await during(60_000)
    expect(one).toBeGreaterThan(100)
    expect(ten).toBe(one)
    // Each viewer gets each snapshot, and the latest at once.
    expect(Map.groupBy(seen, (viewer) => viewer).get(9)?.length).toBeGreaterThan(50)
    for (const one of leave) one()
    expect(await during(60_000)).toBe(0)
    watch.stop()
  } finally {
    vi.useRealTimers()
  }
})

test.each<[string, 'readProducts' | 'readNotifications' | 'readQueue', number]>([
  ['PostgreSQL of product-service', 'readProducts', 4_000],
  ['PostgreSQL of notification-service', 'readNotifications', 4_000],
  // Asked every second look.
  ['SQS', 'readQueue', 5_500],
])('%s is frozen or refuses: viewers are told within a bound, whenever it begins', async (_, name, frozenMs) => {
  vi.useFakeTimers()
  try {
    for (const beginsAt of [0, 1, 300, 999, 1_000, 1_500, 1_999]) {
      const refused = await untilTold(name, beginsAt, () => Promise.reject(new Error('connect ECONNREFUSED')))
      expect(refused, `refuses from ${beginsAt} ms on`).toBeLessThanOrEqual(2_500)
      const frozen = await untilTold(name, beginsAt, () => new Promise(() => {}))
      expect(frozen, `frozen from ${beginsAt} ms on`).toBeLessThanOrEqual(frozenMs)
    }
  } finally {
    vi.useRealTimers()
  }
})

/** Milliseconds from the beginning of an outage until a viewer sees that not all is well. */
async function untilTold(
  name: 'readProducts' | 'readNotifications' | 'readQueue',
  beginsAt: number,
  fail: () => Promise<never>,
): Promise<number> {
  const { sources } = counted()
  let fails = false
  const works = sources[name] as () => Promise<never>
  const watch = createWatch({ ...sources, [name]: () => (fails ? fail() : works()) })
  let level = ''
  const leave = watch.enter((json) => (level = (JSON.parse(json) as Snapshot).verdict.level))
  await vi.advanceTimersByTimeAsync(4_000 + beginsAt)
  expect(level).toBe('good')
  fails = true
  let passed = 0
  for (; level === 'good' && passed < 60_000; passed += 50) await vi.advanceTimersByTimeAsync(50)
  leave()
  watch.stop()
  return passed
}

test('the first look after a pause asks the queue too, and shows nothing from before the pause', async () => {
  vi.useFakeTimers()
  try {
    const { sources } = counted()
    const { readQueue } = sources
    let hangs = false
    const watch = createWatch({ ...sources, readQueue: () => (hangs ? new Promise(() => {}) : readQueue()) })
    const levels: string[] = []
    const lookOnce = async () => {
      const leave = watch.enter((json) => levels.push((JSON.parse(json) as Snapshot).verdict.level))
      await vi.advanceTimersByTimeAsync(500)
      leave()
    }
    await lookOnce()
    await lookOnce()
    expect(levels).toEqual(['good', 'good'])
    hangs = true
    await lookOnce()
    expect(levels).toEqual(['good', 'good', 'unknown'])
    watch.stop()
  } finally {
    vi.useRealTimers()
  }
})
