import type { Metrics } from './exposition.ts'
import type { Look } from './scrape.ts'

type Labels = Record<string, string | RegExp>

/** A process as it was at the beginning and at the end of the time that is looked at. */
export interface Span {
  before: Metrics
  after: Metrics
  seconds: number
}

/** What the instances of a service did between two looks at each. `undefined`: no instance tells it. */
export interface Window {
  /** By how much a counter grew, over all instances. */
  increase(name: string, labels?: Labels): number | undefined
  /** The same, per second. */
  rate(name: string, labels?: Labels): number | undefined
  /** What 95 % of the new observations of a histogram were at most; undefined when there was none. */
  p95(name: string): number | undefined
  /** A gauge of which each instance has its part: all added up. */
  sum(name: string, labels?: Labels): number | undefined
  /** A gauge that all instances read from the same place: the worst. */
  most(name: string, labels?: Labels): number | undefined
  least(name: string, labels?: Labels): number | undefined
}

/** Of those instances that answered both times. */
export function windowOf(before: Look[], after: Look[]): Window {
  const spans = after.flatMap((look): Span[] => {
    const first = before.find(({ service, url }) => service === look.service && url === look.url)
    if (look.kind !== 'answered' || first?.kind !== 'answered') return []
    // A slow first answer may come after the second.
    if (look.at <= first.at) return []
    return [{ before: first.metrics, after: look.metrics, seconds: (look.at - first.at) / 1000 }]
  })
  const now = after.flatMap((look) => (look.kind === 'answered' ? [look.metrics] : []))
  const gauges = (name: string, labels: Labels) => now.map((metrics) => total(metrics, name, labels)).filter(isKnown)
  const increases = (name: string, labels: Labels) =>
    spans.flatMap(({ before, after, seconds }) => {
      const increase = growth(total(before, name, labels), total(after, name, labels))
      return increase === undefined ? [] : [{ increase, seconds }]
    })

  return {
    increase: (name, labels = {}) => added(increases(name, labels).map(({ increase }) => increase)),
    rate: (name, labels = {}) => added(increases(name, labels).map(({ increase, seconds }) => increase / seconds)),
    p95: (name) => quantile(0.95, bucketsOf(spans, `${name}_bucket`)),
    sum: (name, labels = {}) => added(gauges(name, labels)),
    most: (name, labels = {}) => extreme(Math.max, gauges(name, labels)),
    least: (name, labels = {}) => extreme(Math.min, gauges(name, labels)),
  }
}

/** All samples of that name whose labels are these. */
function total(metrics: Metrics, name: string, wanted: Labels): number | undefined {
  const samples = (metrics.get(name) ?? []).filter(({ labels }) =>
    Object.entries(wanted).every(([label, value]) =>
      typeof value === 'string' ? labels[label] === value : value.test(labels[label] ?? ''),
    ),
  )
  return added(samples.map(({ value }) => value))
}

/**
 * A counter that is lower than before started again with its process. One that was not there yet, and a service has
 * many whose labels come with use, was 0.
 */
function growth(before: number | undefined, after: number | undefined): number | undefined {
  if (after === undefined) return undefined
  return after >= (before ?? 0) ? after - (before ?? 0) : after
}

/** The new observations up to each bound, over all instances and labels, by bound. */
function bucketsOf(spans: Span[], name: string): [bound: number, count: number][] {
  const counts = new Map<number, number>()
  for (const { before, after } of spans) {
    const bounds = new Set((after.get(name) ?? []).map(({ labels }) => labels.le ?? ''))
    for (const le of bounds) {
      const bound = le === '+Inf' ? Infinity : Number(le)
      const increase = growth(total(before, name, { le }), total(after, name, { le })) ?? 0
      counts.set(bound, (counts.get(bound) ?? 0) + increase)
    }
  }
  return [...counts].toSorted(([one], [other]) => one - other)
}

/** As Prometheus' `histogram_quantile`: spread evenly within a bucket; above the last bound, that bound. */
export function quantile(q: number, buckets: [bound: number, count: number][]): number | undefined {
  const all = buckets.at(-1)?.[1] ?? 0
  if (all === 0) return undefined
  const rank = q * all
  const index = buckets.findIndex(([, count]) => count >= rank)
  const [lower, below] = buckets[index - 1] ?? [0, 0]
  const [upper, upTo] = buckets[index] ?? [Infinity, all]
  return upper === Infinity ? lower : lower + ((upper - lower) * (rank - below)) / (upTo - below)
}

function added(values: number[]): number | undefined {
  const known = values.filter(isKnown)
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0)
}

function extreme(of: (...values: number[]) => number, values: number[]): number | undefined {
  return values.length === 0 ? undefined : of(...values)
}

/** NaN is what a service says of a gauge that it can't read just now. */
function isKnown(value: number | undefined): value is number {
  return value !== undefined && !Number.isNaN(value)
}
