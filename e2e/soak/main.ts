/**
 * `npm run soak`: writes steadily, says once a minute how things stand, and in the end whether they stayed as they
 * were.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '@product-events/database'
import { freePort, startPostgres, startSqs } from '@product-events/local'
import { outboxTables, prune } from '@product-events/outbox'
import { listenForInterrupts } from '@product-events/terminal'
import type pg from 'pg'
import { readOptions } from '../options.ts'
import { type Stack, startStack } from '../stack.ts'
import { LEAST_MINUTES, notFlat, type Sample } from './flat.ts'
import { writeSteadily } from './steady-writer.ts'

/**
 * The services keep events for an hour at least, and for that long a table grows. So the soak itself prunes, by the
 * same function, what is older than a minute: the table is full after the second minute, and must stay as large.
 */
const RETENTION_HOURS = 1 / 60
const PRUNE_EVERY_MS = 5_000
const MINUTE_MS = 60_000

const { minutes, rate } = readOptions({
  name: 'npm run soak --',
  version: '1.0.0',
  summary: 'write steadily, and fail if anything grows after the second minute (e2e/soak/flat.ts has the bounds)',
  options: {
    minutes: { value: 'n', whole: [LEAST_MINUTES, 100_000], default: 10, help: 'how long' },
    rate: { value: 'n', whole: [1, 100_000], default: 100, help: 'changes a second' },
  },
})

const interrupts = listenForInterrupts()
const stop = new AbortController()
interrupts.signal.addEventListener('abort', () => stop.abort())
await using opened = new AsyncDisposableStack()
const dir = await mkdtemp('/tmp/product-events-soak-')
await chmod(dir, 0o755) // PostgreSQL may run as another user
opened.defer(() => rm(dir, { recursive: true, force: true }))
const postgres = await startPostgres({ dataDir: `${dir}/postgres`, port: await freePort(), detached: true })
opened.defer(postgres.stop)
const sqs = await startSqs({ port: await freePort(), detached: true })
opened.defer(sqs.stop)
const stack = await startStack({ postgresUrl: postgres.url, sqsEndpoint: sqs.endpoint })
opened.defer(stack.stop)
const pool = connect({
  databaseUrl: stack.products.databaseUrl,
  applicationName: 'soak',
  maxConnections: 2,
  onIdleError: () => {},
})
opened.defer(() => pool.end())

const writing = writeSteadily(stack.products.url, rate, stop.signal)
const pruning = keepPruning(pool, stop.signal)
const samples: Sample[] = []
let published = 0
say([
  'minute',
  'events/s',
  'oldest pending s',
  'dead tuples',
  'rows',
  'table MiB',
  'indexes MiB',
  'product-service MiB',
  'notification-service MiB',
])
for (let minute = 1; minute <= minutes && !stop.signal.aborted; minute++) {
  // A writer or a pruner that fails ends the soak.
  await Promise.race([sleep(MINUTE_MS, undefined, { signal: stop.signal }).catch(() => {}), writing, pruning])
  const before = published
  published = (await stack.products.metric('outbox_events_published_total')) ?? 0
  const sample = await takeSample(stack, pool, ((published - before) * 1000) / MINUTE_MS)
  samples.push(sample)
  say([minute, ...tell(sample)])
}
stop.abort()
await Promise.all([writing, pruning])
const faults = samples.length < LEAST_MINUTES ? ['stopped too early to say'] : notFlat(samples, rate)
process.stdout.write(faults.length === 0 ? 'flat after the second minute\n' : `NOT FLAT:\n${faults.join('\n')}\n`)
process.exitCode = faults.length === 0 ? 0 : 1

async function takeSample({ products, notifications }: Stack, pool: pg.Pool, eventsPerSecond: number): Promise<Sample> {
  // What they log is kept by `startStack`, and would be the only thing that grows.
  for (const { log } of [products, notifications]) log.length = 0
  const { rows } = await pool.query<Omit<Sample, 'eventsPerSecond'>>(
    `SELECT n_dead_tup::int AS "deadTuples", pg_table_size('events')::float8 AS "tableBytes",
            pg_indexes_size('events')::float8 AS "indexBytes", (SELECT count(*)::int FROM events) AS rows,
            (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8
             FROM events WHERE status IN ('pending', 'failed')) AS "oldestPendingSeconds"
     FROM pg_stat_user_tables WHERE relname = 'events'`,
  )
  return {
    ...rows[0]!,
    eventsPerSecond,
    productServiceBytes: (await products.metric('process_resident_memory_bytes')) ?? 0,
    notificationServiceBytes: (await notifications.metric('process_resident_memory_bytes')) ?? 0,
  }
}

async function keepPruning(pool: pg.Pool, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await prune(outboxTables(pool), RETENTION_HOURS, signal)
    await sleep(PRUNE_EVERY_MS, undefined, { signal }).catch(() => {})
  }
}

function tell(sample: Sample): (string | number)[] {
  const mib = (bytes: number) => (bytes / 1024 / 1024).toFixed(1)
  return [
    sample.eventsPerSecond.toFixed(1),
    sample.oldestPendingSeconds.toFixed(3),
    sample.deadTuples,
    sample.rows,
    mib(sample.tableBytes),
    mib(sample.indexBytes),
    mib(sample.productServiceBytes),
    mib(sample.notificationServiceBytes),
  ]
}

function say(columns: (string | number)[]): void {
  process.stdout.write(`| ${columns.join(' | ')} |\n`)
  if (columns[0] === 'minute') process.stdout.write(`|${' ---: |'.repeat(columns.length)}\n`)
}
