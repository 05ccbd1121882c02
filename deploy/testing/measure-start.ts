/**
 * `node deploy/testing/measure-start.ts [processors] [rounds] -- <program> [args]`: how long a service takes until it
 * is ready on a part of a processor, and what memory it then uses. PostgreSQL and SQS are outside the quota.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDatabase, freePort, localCredentials, startPostgres, startSqs } from '@product-events/local'
import { createQuota, type Quota } from './quota.ts'

const READY_WITHIN_MS = 60_000
/** Past the first collections of garbage, and the first samples of the gauges. */
const IDLE_MS = 5_000

const separator = process.argv.indexOf('--')
const [processors = 0.25, rounds = 3] = process.argv.slice(2, separator).map(Number)
const command = process.argv.slice(separator + 1)

const dir = await mkdtemp('/tmp/product-events-measure-')
const postgres = await startPostgres({ dataDir: join(dir, 'postgres'), port: await freePort() })
const sqs = await startSqs({ port: await freePort() })
await createDatabase(postgres.url, 'products')
await createDatabase(postgres.url, 'notifications')

const quota = createQuota(processors)
if (!quota) throw new Error('this user may not make a control group')
for (let round = 0; round < rounds; round++) {
  const { readyMs, usedSeconds, residentMb } = await measure(quota)
  console.log(`ready after ${readyMs.toFixed(0)} ms, ${usedSeconds.toFixed(2)} s of processor, idle ${residentMb} MB`)
}
quota.remove()
await Promise.all([postgres.stop(), sqs.stop()])
await rm(dir, { recursive: true, force: true })

async function measure({ wrapper, usedSeconds }: Quota) {
  const [metricsPort, httpPort] = [await freePort(), await freePort()]
  const env = {
    ...process.env,
    ...localCredentials,
    DATABASE_URL: postgres.url,
    AWS_ENDPOINT_URL_SQS: sqs.endpoint,
    METRICS_PORT: String(metricsPort),
    HTTP_PORT: String(httpPort),
    LOG_LEVEL: 'warn',
  }
  const before = usedSeconds()
  const started = performance.now()
  const [program = '', ...args] = [...wrapper, ...command]
  const child = spawn(program, args, { env, stdio: 'inherit' })
  await untilReady(`http://127.0.0.1:${metricsPort}/health/ready`)
  const readyMs = performance.now() - started
  const used = usedSeconds() - before
  await sleep(IDLE_MS)
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
  child.kill('SIGTERM')
  await once(child, 'exit')
  return { readyMs, usedSeconds: used, residentMb: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024) }
}

async function untilReady(url: string): Promise<void> {
  const end = performance.now() + READY_WITHIN_MS
  while (performance.now() < end) {
    const ok = await fetch(url).then(
      (response) => response.ok,
      () => false,
    )
    if (ok) return
    await sleep(10)
  }
  throw new Error(`${url} did not become ready within ${READY_WITHIN_MS} ms`)
}
