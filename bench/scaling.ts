import type { Result } from './results.ts'
import { round } from './table.ts'

/** What the bench measured on its machine, a second. */
export interface Measured {
  /** Creations through product-service, PostgreSQL and relay together, sending meanwhile. */
  changes: number
  /** Events that one relay brings from the outbox to the queue, on its processor's account. */
  published: number
  /** Messages that one notification-service stores. */
  stored: number
}

/** The share of the time that anything is busy: the rest is for peaks of twice the mean, and for catching up. */
export const BUSY = 0.5
/** Of one call to SQS within a region, assumed. With more of it relays wait longer and batches are fuller. */
export const ROUND_TRIP_S = 0.01
/**
 * The SQS limit of a batch; calls under way of one relay (packages/outbox/relay.ts) and of one notification-service.
 */
export const BATCH = 10
export const SENDS = 8
export const RECEIVERS = 16
/** Of an outbox, which is of one database: no more relays than that share its work. */
export const LANES = 64
/** Of each of our processes. */
export const CONNECTIONS = 10
/** An idle receiver asks this often (services/notification-service/messages.ts). */
export const LONG_POLL_S = 3
/** How long processed events are kept by default. */
export const RETENTION_S = 72 * 3600
/**
 * A PostgreSQL with this many times the cores of the bench's machine is assumed to take this many times the changes.
 */
export const LARGEST_DATABASE = 16
const DAY_S = 86_400
/** As in docs/aws.md. */
export const MONTH_S = 730 * 3600

/**
 * The processor of a task, and of the machine that the bench ran on: a task is assumed to do its share of what that
 * did.
 */
export const TASK_CORES = 0.25
export const BENCH_CORES = 2
/** Of each service, so that one may end at any moment. */
export const LEAST_INSTANCES = 2
/** The depth of the queue and of the dead-letter queue, as often as gauges and health checks can ask. */
const GAUGE_CALLS_PER_S = 2 / 5

/**
 * USD a month of docs/aws.md, "production": a task, the four tasks that are no service of the path, and all the rest
 * but SQS.
 */
export const TASK_USD = 7.21
export const OTHER_TASKS = 4
export const OTHER_USD = 99 + 23 + 37 + 14 + 25 + 2
/** Log lines, and rows while they are kept, of a million changes. */
const MILLION_CHANGES_USD = 0.3 + 0.5

/** USD for a million requests of up to 64 KB each, by requests in the month (Amazon SQS pricing, us-east-1). */
const STANDARD = [0.4, 0.3, 0.24] as const
const FIFO = [0.5, 0.4, 0.35] as const
/** Where the second and the third price begin. */
const TIERS = [0, 100e9, 200e9] as const

/**
 * Quotas of Amazon SQS, messages a second by action, in batches of ten: a FIFO queue; one of high throughput in
 * us-east-1.
 */
export const FIFO_QUOTA = 3_000
export const HIGH_THROUGHPUT_QUOTA = 700_000
/** Beyond this connections of one PostgreSQL cost more than they bring, and a pooler takes them. */
const MANY_CONNECTIONS = 500
/** `grow` was measured up to 10^7 rows. Far beyond, dropping a partition is cheaper than deleting its rows. */
const MANY_ROWS = 100e6

export interface Needs {
  rate: number
  services: number
  relays: number
  relaysPerDatabase: number
  lanesPerRelay: number
  consumers: number
  databases: number
  connections: number
  rows: number
  calls: number
  standard: number
  fifo: number
  /** The whole bill on a standard queue; NaN where the database of docs/aws.md is too small. */
  bill: number
}

/** What so many changes a second need, at a steady rate. */
export function needs(rate: number, measured: Measured): Needs {
  const share = TASK_CORES / BENCH_CORES
  const sends = Math.min((share * measured.published) / BATCH, SENDS / ROUND_TRIP_S)
  const receives = Math.min((share * measured.stored) / BATCH, RECEIVERS / ROUND_TRIP_S)
  const services = atLeast(LEAST_INSTANCES, rate / (BUSY * share * measured.changes))
  const relays = atLeast(LEAST_INSTANCES, rate / (BUSY * sends * BATCH))
  const consumers = atLeast(LEAST_INSTANCES, rate / (BUSY * receives * BATCH))
  const databases = atLeast(Math.ceil(relays / LANES), rate / (BUSY * measured.changes * LARGEST_DATABASE))
  const relaysPerDatabase = Math.ceil(relays / databases)
  const sent = batchOf(rate / relays, sends)
  const received = batchOf(rate / consumers, receives)
  const calls = rate / sent + (2 * rate) / received + consumers * (1 / LONG_POLL_S + GAUGE_CALLS_PER_S)
  const standard = dollars(calls, STANDARD)
  const tasks = Math.max(services, relays) + consumers + OTHER_TASKS
  const fits = rate <= BUSY * measured.changes
  const changesUsd = ((rate * MONTH_S) / 1e6) * MILLION_CHANGES_USD
  return {
    rate,
    services,
    relays,
    relaysPerDatabase,
    lanesPerRelay: LANES / relaysPerDatabase,
    consumers,
    databases,
    connections: (CONNECTIONS * Math.max(services, relays)) / databases,
    rows: (rate * RETENTION_S) / databases,
    calls,
    standard,
    fifo: dollars(calls, FIFO),
    bill: fits ? tasks * TASK_USD + OTHER_USD + changesUsd + standard : NaN,
  }
}

/** The nine cells as two Markdown tables, and the constants as one: the blocks of docs/scaling.md. */
export function scalingBlocks(measured: Measured, source: string): Map<string, string> {
  const cells = [1e3, 1e5, 1e7].flatMap((changes) =>
    Object.entries({ 'a day': DAY_S, 'an hour': 3600, 'a second': 1 }).map(([unit, seconds]) => ({
      name: `${changes.toLocaleString('en')} ${unit}`,
      ...needs(changes / seconds, measured),
    })),
  )
  const ordered = cells.toSorted((a, b) => a.rate - b.rate)
  const wanted = [
    '| changes | a second | product-service | relays | lanes each | notification-service | databases | connections each | events kept each | SQS calls/s | SQS, USD | FIFO, USD | whole bill, USD |',
    `|${' --- |'.repeat(13)}`,
    ...ordered.map((cell) => {
      const counts = [cell.services, cell.relays, cell.lanesPerRelay, cell.consumers, cell.databases, cell.connections]
      const numbers = [cell.rate, ...counts, cell.rows, cell.calls, cell.standard, cell.fifo, cell.bill]
      return `| ${cell.name} | ${numbers.map(compact).join(' | ')} |`
    }),
  ]
  const limits = [
    '| changes | what gives way | what takes over |',
    '| --- | --- | --- |',
    ...ordered.map((cell) => {
      const found = givesWay(cell)
      return `| ${cell.name} | ${found.map(([what]) => what).join('; ') || 'nothing'} | ${found.map(([, over]) => over).join('; ') || 'nobody'} |`
    }),
  ]
  const constants = [
    `| measured ([${source.split('/').at(-1)}](${source})) | a second |`,
    '| --- | --- |',
    `| \`changes\`: create, sending to SQS meanwhile, 64 connections | ${round(measured.changes)} |`,
    `| \`published\`: publish, the relay, ${SENDS} in flight | ${round(measured.published)} |`,
    `| \`stored\`: consume, ours | ${round(measured.stored)} |`,
  ]
  return new Map([
    ['needs', wanted.join('\n')],
    ['limits', limits.join('\n')],
    ['constants', constants.join('\n')],
  ])
}

/** The measured constants of a result, or undefined when it lacks one of the scenarios. */
export function measuredIn({ results }: Result): Measured | undefined {
  const median = (scenario: string, contestant: string, figure: string) => {
    const result = results[scenario]
    if (result === undefined || 'failed' in result) return undefined
    return result.standings.find(({ name }) => name === contestant)?.figures[figure]?.median
  }
  const changes = median('create', 'ours, sending to SQS meanwhile, 64', 'requests/s')
  const published = median('publish', `the relay, ${SENDS} in flight`, 'events/s')
  const stored = median('consume', 'ours', 'messages/s')
  return changes && published && stored ? { changes, published, stored } : undefined
}

function givesWay(cell: Needs): [what: string, takesOver: string][] {
  const all: [boolean, string, string][] = [
    [
      cell.services > LEAST_INSTANCES,
      `two tasks: ${round(cell.services)} share the requests`,
      'more of the same behind a balancer',
    ],
    [cell.rate > FIFO_QUOTA, 'a FIFO queue (3,000 messages/s)', 'SQS FIFO high throughput, or the standard queue'],
    [cell.rows > MANY_ROWS, 'one table of events, by its size', 'a table partitioned by day, whose days are dropped'],
    [cell.connections > MANY_CONNECTIONS, 'connections of one PostgreSQL', 'PgBouncer or RDS Proxy'],
    [cell.relaysPerDatabase > LANES, `${LANES} lanes of an outbox`, 'an outbox in each of several databases'],
    [cell.databases > 1, 'one PostgreSQL', `${round(cell.databases)} databases by key, RDS or Aurora each`],
    [
      cell.rate > HIGH_THROUGHPUT_QUOTA,
      'one FIFO queue of high throughput',
      'several queues by key; a log such as Kinesis',
    ],
  ]
  return all.filter(([applies]) => applies).map(([, what, takesOver]) => [what, takesOver])
}

/** Nobody waits for a batch to fill: it grows when there are more events than calls that can be made. */
function batchOf(rate: number, calls: number): number {
  return Math.min(BATCH, Math.max(1, rate / calls))
}

function dollars(callsPerSecond: number, prices: readonly number[]): number {
  const calls = callsPerSecond * MONTH_S
  return prices.reduce((sum, price, tier) => {
    const inTier = Math.min(calls, TIERS[tier + 1] ?? Infinity) - TIERS[tier]!
    return sum + (Math.max(0, inTier) / 1e6) * price
  }, 0)
}

/** Three digits, and a letter from a hundred thousand on: 720M. A dash for NaN. */
function compact(value: number): string {
  return value >= 1e5 ? value.toLocaleString('en', { notation: 'compact', maximumSignificantDigits: 3 }) : round(value)
}

function atLeast(least: number, count: number): number {
  return Math.max(least, Math.ceil(count))
}
