/**
 * `node deploy/image/warm.ts <folder of the build>`: runs each program once, as the user of the image, against a
 * PostgreSQL and an SQS of its own, and keeps what V8 compiled in `<folder>/compiled`. A container then starts without
 * compiling. The cache is for this folder, this Node, this processor and this user; another one is only slower.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDatabase, freePort, localCredentials, startPostgres, startSqs } from '@product-events/local'
import { commands, servers } from '../programs.ts'

/** The user `node` of the base image. Node keeps a cache for each user. */
const USER = { uid: 1000, gid: 1000 }
/** An emulated processor takes this long. */
const READY_WITHIN_MS = 120_000

const folder = resolve(process.argv[2] ?? 'dist')
const compiled = join(folder, 'compiled')
await mkdir(compiled, { recursive: true })
const isRoot = process.getuid?.() === 0
if (isRoot) await chown(compiled, USER.uid, USER.gid)

// Not below os.tmpdir(), which only its owner may be able to enter.
const data = await mkdtemp('/tmp/product-events-warm-')
await chmod(data, 0o755)
const postgres = await startPostgres({ dataDir: join(data, 'postgres'), port: await freePort() })
const sqs = await startSqs({ port: await freePort() })
try {
  for (const name of ['products', 'notifications']) await createDatabase(postgres.url, name)
  for (const [name, { healthPort: _ }] of Object.entries(servers)) if (isBuilt(name)) await warmServer(name)
  for (const name of Object.keys(commands)) if (isBuilt(name)) await ended(run(name, ['--help']))
} finally {
  await Promise.all([postgres.stop(), sqs.stop()])
  await rm(data, { recursive: true, force: true })
}

function isBuilt(name: string): boolean {
  return existsSync(join(folder, `${name}.js`))
}

/** Starts it, waits until it is ready, asks its API once, and stops it: the cache is written at its end. */
async function warmServer(name: string): Promise<void> {
  const [httpPort, metricsPort] = [await freePort(), await freePort()]
  const child = run(name, [], { HTTP_PORT: String(httpPort), METRICS_PORT: String(metricsPort) })
  const healthPort = name === 'console' ? httpPort : metricsPort
  await untilReady(`http://127.0.0.1:${healthPort}/health/ready`)
  await fetch(`http://127.0.0.1:${healthPort}/metrics`).then((response) => response.text())
  if (name !== 'relay') await fetch(`http://127.0.0.1:${httpPort}/openapi.json`).then((response) => response.text())
  if (name === 'product-service') await createProduct(httpPort)
  child.kill('SIGTERM')
  await ended(child)
  console.log(`compiled: ${name}`)
}

async function createProduct(port: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/products`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Warm', price: 1 }),
  })
  if (response.status !== 201) throw new Error(`product-service answered ${response.status}`)
}

function run(name: string, args: string[], ports: Record<string, string> = {}) {
  return spawn(process.execPath, ['start.js', ...args], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    ...(isRoot && USER),
    env: {
      ...localCredentials,
      ...ports,
      SERVICE: name,
      NODE_COMPILE_CACHE: compiled,
      DATABASE_URL: postgres.url,
      AWS_ENDPOINT_URL_SQS: sqs.endpoint,
      LOG_LEVEL: 'warn',
    },
  })
}

async function ended(child: ReturnType<typeof run>): Promise<void> {
  const [code] = child.exitCode === null ? ((await once(child, 'exit')) as [number | null]) : [child.exitCode]
  if (code !== 0) throw new Error(`a program that should warm up ended with ${code}`)
}

async function untilReady(url: string): Promise<void> {
  const end = performance.now() + READY_WITHIN_MS
  while (performance.now() < end) {
    const isReady = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isReady) return
    await sleep(50)
  }
  throw new Error(`${url} did not become ready within ${READY_WITHIN_MS / 1000} s`)
}
