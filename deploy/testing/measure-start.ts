/**
 * `node deploy/testing/measure-start.ts [processors] [rounds] [folder...]`: how long each server of an image takes
 * until it is ready on a part of a processor, how much processor time that costs, and its memory when idle. A folder is
 * what `node deploy/build.ts <folder>` and `node deploy/image/warm.ts <folder>` made; several take turns, so that their
 * ratios hold on a busy machine. PostgreSQL and SQS are outside the quota, and migrated before: a task that is replaced
 * finds them so.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, mkdtemp, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDatabase, freePort, localCredentials, startPostgres, startSqs } from '@product-events/local'
import { type Server, servers } from '../programs.ts'
import { createQuota, type Quota } from './quota.ts'

const READY_WITHIN_MS = 60_000
/** Past the first collections of garbage, and the first samples of the gauges. */
const IDLE_MS = 5_000
/** As in the image, when this user may become another one. */
const asUserOfImage = process.getuid?.() === 0 ? ['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups'] : []

interface Start {
  readyMs: number
  usedMs: number
  idleMb: number
}

const [processors = '0.25', rounds = '3', ...named] = process.argv.slice(2)
const folders = named.length > 0 ? named : ['dist']

const dir = await mkdtemp('/tmp/product-events-measure-')
const postgres = await startPostgres({ dataDir: join(dir, 'postgres'), port: await freePort() })
const sqs = await startSqs({ port: await freePort() })
const quota = createQuota(Number(processors))
if (!quota) throw new Error('this user may not make a control group')
try {
  for (const name of ['products', 'notifications']) await createDatabase(postgres.url, name)
  for (const server of Object.keys(servers) as Server[]) {
    // The first start of all migrates, and is not counted.
    await measure(quota, server, folders[0] as string)
    const starts = folders.map((): Start[] => [])
    for (let round = 0; round < Number(rounds); round++)
      for (const [index, folder] of folders.entries()) starts[index]?.push(await measure(quota, server, folder))
    for (const [index, folder] of folders.entries())
      console.log(`${server} (${folder}): ${inWords(starts[index] ?? [])}`)
  }
} finally {
  quota.remove()
  await Promise.all([postgres.stop(), sqs.stop()])
  await rm(dir, { recursive: true, force: true })
}

function inWords(starts: Start[]): string {
  const all = (of: (start: Start) => number) => starts.map((start) => of(start).toFixed(0)).join('/')
  const ready = `ready after ${all(({ readyMs }) => readyMs)} ms`
  return `${ready}, ${all(({ usedMs }) => usedMs)} ms of processor, idle ${all(({ idleMb }) => idleMb)} MB`
}

async function measure({ wrapper, usedSeconds }: Quota, server: Server, folder: string): Promise<Start> {
  const [metricsPort, httpPort] = [await freePort(), await freePort()]
  const env = {
    PATH: process.env.PATH,
    ...localCredentials,
    SERVICE: server,
    NODE_ENV: 'production',
    NODE_COMPILE_CACHE: join(resolve(folder), 'compiled'),
    DATABASE_URL: postgres.url,
    AWS_ENDPOINT_URL_SQS: sqs.endpoint,
    METRICS_PORT: String(metricsPort),
    HTTP_PORT: String(httpPort),
    LOG_LEVEL: 'warn',
  }
  const before = usedSeconds()
  const started = performance.now()
  const [program, ...args] = [...wrapper, ...asUserOfImage, process.execPath, 'start.js']
  const child = spawn(program, args, { cwd: folder, env, stdio: 'inherit' })
  await untilReady(`http://127.0.0.1:${server === 'console' ? httpPort : metricsPort}/health/ready`)
  const readyMs = performance.now() - started
  const usedMs = (usedSeconds() - before) * 1_000
  await sleep(IDLE_MS)
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
  child.kill('SIGTERM')
  await once(child, 'exit')
  return { readyMs, usedMs, idleMb: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024) }
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
