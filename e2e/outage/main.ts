/**
 * `npm run test:outage`: PostgreSQL is gone for minutes under a few requests a second; every process must stay
 * responsive.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, startPostgres, startSqs } from '@product-events/local'
import { readOptions } from '../options.ts'
import { createService, type Service } from '../stack.ts'
import { watchProcess } from './watch-process.ts'

/** A process that does not answer this fast is killed by its orchestrator in the end. */
const MAX_LIVE_MS = 100
/** After the return of a database that refused at once. */
const MAX_RECOVERY_MS = 2_000
const CALL_EVERY_MS = 250
const SETTLE_MS = 2_000

const { minutes } = readOptions({
  name: 'npm run test:outage --',
  version: '1.0.0',
  summary: 'stop PostgreSQL for minutes under a few requests a second, and watch every process',
  more: `Exit code 1 if /health/live took longer than ${MAX_LIVE_MS} ms in some process, or if requests were answered with 503 for
longer than ${MAX_RECOVERY_MS / 1000} s after the return of PostgreSQL. Times of a busy machine say nothing.`,
  options: { minutes: { value: 'n', whole: [1, 600], default: 10, help: 'how long the database is gone' } },
})
process.exitCode = await main()

async function main(): Promise<number> {
  await using opened = new AsyncDisposableStack()
  const dir = await mkdtemp('/tmp/product-events-outage-')
  opened.defer(() => rm(dir, { recursive: true, force: true }))
  await chmod(dir, 0o755) // PostgreSQL may run as another user
  const server = { dataDir: join(dir, 'postgres'), port: await freePort() }
  let postgres = await startPostgres(server)
  opened.defer(() => postgres.stop())
  const sqs = await startSqs({ port: await freePort() })
  opened.defer(() => sqs.stop())

  const stack = { postgresUrl: postgres.url, sqsEndpoint: sqs.endpoint }
  const products = await createService('product-service', 'outage', stack)
  const relayMain = `${import.meta.dirname}/../../services/product-service/relay-main.ts`
  const relay = await createService('product-service', 'outage', {
    ...stack,
    databaseUrl: products.databaseUrl,
    mains: { 'product-service': relayMain },
  })
  const notifications = await createService('notification-service', 'outage', stack)
  const services: Record<string, Service> = {
    'product-service': products,
    relay,
    'notification-service': notifications,
  }
  for (const service of Object.values(services)) {
    await service.start()
    opened.defer(service.stop)
  }

  const calls = { answered: 0, refused: 0, other: 0 }
  const stop = new AbortController()
  const calling = keepCalling(products.url, calls, stop.signal)
  await sleep(SETTLE_MS)
  const watches = Object.entries(services).map(([name, { metricsUrl }]) => watchProcess(name, metricsUrl))
  say(`PostgreSQL stops for ${minutes} min`)
  await postgres.stop()
  await sleep(minutes * 60_000)
  const results = await Promise.all(watches.map((watch) => watch.end()))
  postgres = await startPostgres(server)
  const recoveryMs = await recovered(products.url)
  stop.abort()
  await calling

  for (const { name, live, lag, cpuShare } of results)
    say(
      `${name.padEnd(22)} /health/live p99 ${live.p99.toFixed(1)} ms, max ${live.max.toFixed(1)} ms   ` +
        `event loop p99 ${lag.p99.toFixed(1)} ms, max ${lag.max.toFixed(1)} ms   processor ${(cpuShare * 100).toFixed(1)} %`,
    )
  for (const [name, { log }] of Object.entries(services)) {
    say(`${name}: lines at warn or above`)
    for (const { level, msg, reason } of log.filter(({ level }) => /warn|error|fatal/.test(String(level))))
      say(`  ${String(level)} ${String(msg)}${reason === undefined ? '' : ` (${JSON.stringify(reason)})`}`)
  }
  say(`requests: ${JSON.stringify(calls)}; 201 again ${Math.round(recoveryMs)} ms after PostgreSQL took connections`)
  const isResponsive = results.every(({ live }) => live.max <= MAX_LIVE_MS)
  return isResponsive && recoveryMs <= MAX_RECOVERY_MS && calls.other === 0 ? 0 : 1
}

async function post(url: string): Promise<number> {
  const body = JSON.stringify({ name: 'Outage tea', price: 1 })
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${url}/products`, { method: 'POST', headers, body })
  await response.arrayBuffer()
  return response.status
}

async function keepCalling(
  url: string,
  calls: { answered: number; refused: number; other: number },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const status = await post(url).catch(() => 0)
    if (status === 201) calls.answered++
    else if (status === 503) calls.refused++
    else calls.other++
    await sleep(CALL_EVERY_MS, undefined, { signal }).catch(() => {})
  }
}

/** Milliseconds until a product can be created again. */
async function recovered(url: string): Promise<number> {
  const started = performance.now()
  while ((await post(url).catch(() => 0)) !== 201) await sleep(20)
  return performance.now() - started
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
