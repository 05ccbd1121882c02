/** The figures of each minute. */
export interface Sample {
  eventsPerSecond: number
  oldestPendingSeconds: number
  /** Of the outbox's table, by PostgreSQL's own count. */
  deadTuples: number
  rows: number
  tableBytes: number
  indexBytes: number
  productServiceBytes: number
  notificationServiceBytes: number
}

const MIB = 1024 * 1024
/** The end of a run may be this much above its beginning: what grows without end is far above it soon. */
const GROWTH = 1.25
/**
 * And this much, whatever the beginning was. Dead tuples: vacuum runs after 10,000 of them, once a minute at most, so
 * their number is a saw. Memory: what a garbage collector may put off. Sizes: a few pages of each index. Oldest
 * pending: half a poll.
 */
const slack: Omit<Sample, 'eventsPerSecond' | 'rows'> = {
  oldestPendingSeconds: 1,
  deadTuples: 20_000,
  tableBytes: MIB,
  indexBytes: MIB,
  productServiceBytes: 24 * MIB,
  notificationServiceBytes: 24 * MIB,
}
/** Share of the requested rate: with less the system did not keep up, and the other figures mean nothing. */
const LEAST_THROUGHPUT = 0.9
/** The first two fill caches, and the table with one retention of events. */
const WARM_UP_MINUTES = 2
/** Two minutes to warm up, two to compare with, two to be compared. */
export const LEAST_MINUTES = 6

/**
 * The figures that are not flat, a line each; empty when all are. After the second minute: the lowest of the last two
 * minutes must not be more than 25 % and the slack above the highest of the third and fourth. Throughput must be 90 %
 * of `rate`.
 */
export function notFlat(samples: readonly Sample[], rate: number): string[] {
  const measured = samples.slice(WARM_UP_MINUTES)
  const slow = measured.filter(({ eventsPerSecond }) => eventsPerSecond < rate * LEAST_THROUGHPUT)
  const growing = (Object.keys(slack) as (keyof typeof slack)[]).flatMap((name) => {
    const begin = Math.max(...measured.slice(0, 2).map((sample) => sample[name]))
    const end = Math.min(...measured.slice(-2).map((sample) => sample[name]))
    return end <= begin * GROWTH + slack[name] ? [] : [`${name} grew from ${begin} to ${end}`]
  })
  return [
    ...slow.map(
      ({ eventsPerSecond }) => `${eventsPerSecond.toFixed(1)} events/s in a minute, and ${rate} were written`,
    ),
    ...growing,
  ]
}
