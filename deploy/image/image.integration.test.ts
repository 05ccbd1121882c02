import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { freePort, freshDatabase, localCredentials } from '@product-events/local'
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest'
import { programs } from '../programs.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '..', '..')
/** As in the image, when this user may become another one. */
const user = process.getuid?.() === 0 ? { uid: 1000, gid: 1000 } : {}
let folder: string

interface Ended {
  code: number
  stdout: string
  stderr: string
}

beforeAll(async () => {
  folder = await mkdtemp('/tmp/product-events-image-')
  chmodSync(folder, 0o755)
  await run(process.execPath, [join(root, 'deploy/build.ts'), folder])
}, 300_000)
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs a file of the image with nothing in its environment but these variables. */
async function inImage(args: string[], env: Record<string, string>): Promise<Ended> {
  try {
    const { stdout, stderr } = await run(process.execPath, args, { cwd: folder, env, ...user })
    return { code: 0, stdout, stderr }
  } catch (error) {
    return error as Ended
  }
}

test('every program whose source is there is in the image', () => {
  const there = Object.entries(programs).filter(([, main]) => existsSync(join(root, main)))
  expect(there.length).toBeGreaterThan(6)
  for (const [name] of there) expect(existsSync(join(folder, `${name}.js`)), name).toBe(true)
})

test.each([{}, { SERVICE: 'dashboard' }])(
  'SERVICE that names no program is one line that lists them: %j',
  async (env) => {
    const { code, stderr } = await inImage(['start.js'], env)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^configuration: SERVICE .*product-service.*relay.*console.*outbox.*\n$/)
  },
)

test('SERVICE runs a command with its arguments', async () => {
  const { code, stdout } = await inImage(['start.js', '--help'], { SERVICE: 'outbox' })
  expect(code).toBe(0)
  expect(stdout).toMatch(/outbox/)
})

test('a service starts as another user than root, writes nothing, and its health check tells when it is ready', async () => {
  const [metricsPort, httpPort] = [await freePort(), await freePort()]
  const env = {
    ...localCredentials,
    SERVICE: 'product-service',
    NODE_COMPILE_CACHE: join(folder, 'compiled'),
    DATABASE_URL: await freshDatabase(inject('postgresUrl')),
    AWS_ENDPOINT_URL_SQS: inject('sqsEndpoint'),
    METRICS_PORT: String(metricsPort),
    HTTP_PORT: String(httpPort),
  }
  expect((await inImage(['health.js'], env)).code).toBe(1)

  const before = readdirSync(folder, { recursive: true }).length
  const child = spawn(process.execPath, ['start.js'], { cwd: folder, env, stdio: 'pipe', ...user })
  onTestFinished(() => void child.kill('SIGKILL'))
  let log = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (log += String(chunk)))
  await expect.poll(async () => (await inImage(['health.js'], env)).code, { timeout: 60_000 }).toBe(0)
  expect((await inImage(['health.js', '/health/live'], env)).code).toBe(0)
  expect((await inImage(['health.js', '/health/nowhere'], env)).code).toBe(1)
  expect(log).toContain('"service":"product-service"')
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(readdirSync(folder, { recursive: true })).toHaveLength(before)
}, 120_000)

test('the preparation of the image runs every program, and keeps what V8 compiled for the user of the image', async () => {
  await run(process.execPath, [join(root, 'deploy/image/warm.ts'), folder])
  const [cache = ''] = readdirSync(join(folder, 'compiled'))
  if ('uid' in user) expect(cache).toMatch(/-1000$/)
  expect(readdirSync(join(folder, 'compiled', cache)).length).toBeGreaterThan(10)
}, 600_000)

test('the bill of materials names what is in the bundles, and no tool', () => {
  const { components } = JSON.parse(readFileSync(join(folder, 'sbom.json'), 'utf8')) as {
    components: { name: string; version: string; purl: string; licenses?: unknown[] }[]
  }
  const names = components.map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining(['fastify', 'pg', '@aws-sdk/client-sqs', 'nodemailer']))
  for (const tool of ['vitest', 'typescript', 'rolldown', 'jiti']) expect(names).not.toContain(tool)
  for (const { purl, version } of components)
    expect(purl).toMatch(new RegExp(`^pkg:npm/\\S+@${version.replaceAll('.', '\\.')}$`))
})

test('the image has the certificates of RDS', () => {
  const certificates = readFileSync(join(folder, 'rds.pem'), 'utf8').match(/-----BEGIN CERTIFICATE-----/g)
  expect(certificates?.length).toBeGreaterThan(50)
})
