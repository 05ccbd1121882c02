import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDatabase, freePort, localCredentials, startPostgres, startSqs } from '@product-events/local'
import type { Server } from '../programs.ts'
import { createQuota, type Quota } from './quota.ts'

const READY_WITHIN_MS = 60_000
/** As in the image, when this user may become another one. */
const asUserOfImage = process.getuid?.() === 0 ? ['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups'] : []

/** What tasks are measured with: a part of a processor, and PostgreSQL and SQS outside of it. */
export interface Ground extends AsyncDisposable {
  quota: Quota
  postgresUrl: string
  sqsEndpoint: string
}

/** A server of the image, ready, on the quota. */
export interface Task {
  readyMs: number
  /** `http://127.0.0.1:port` of its API. */
  http: string
  memoryMb(): Promise<number>
  stop(): Promise<void>
}

export async function openGround(processors: number): Promise<Ground> {
  const quota = createQuota(processors)
  if (!quota) throw new Error('this user may not make a control group')
  const dir = await mkdtemp('/tmp/product-events-measure-')
  const postgres = await startPostgres({ dataDir: join(dir, 'postgres'), port: await freePort() })
  const sqs = await startSqs({ port: await freePort() })
  for (const name of ['products', 'notifications']) await createDatabase(postgres.url, name)
  return {
    quota,
    postgresUrl: postgres.url,
    sqsEndpoint: sqs.endpoint,
    async [Symbol.asyncDispose]() {
      quota.remove()
      await Promise.all([postgres.stop(), sqs.stop()])
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** Starts `server` of the folder that `node deploy/build.ts` and `node deploy/image/warm.ts` made. */
export async function startTask({ quota, ...ground }: Ground, server: Server, folder: string): Promise<Task> {
  const [metricsPort, httpPort] = [await freePort(), await freePort()]
  const env = {
    PATH: process.env.PATH,
    ...localCredentials,
    SERVICE: server,
    NODE_ENV: 'production',
    NODE_COMPILE_CACHE: join(resolve(folder), 'compiled'),
    DATABASE_URL: ground.postgresUrl,
    AWS_ENDPOINT_URL_SQS: ground.sqsEndpoint,
    METRICS_PORT: String(metricsPort),
    HTTP_PORT: String(httpPort),
    LOG_LEVEL: 'warn',
  }
  const started = performance.now()
  const [program, ...args] = [...quota.wrapper, ...asUserOfImage, process.execPath, 'start.js']
  const child = spawn(program, args, { cwd: folder, env, stdio: 'inherit' })
  await untilReady(`http://127.0.0.1:${server === 'console' ? httpPort : metricsPort}/health/ready`)
  return {
    readyMs: performance.now() - started,
    http: `http://127.0.0.1:${httpPort}`,
    memoryMb: () => memoryOf(child),
    async stop() {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

async function memoryOf({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024)
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
