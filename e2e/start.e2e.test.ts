import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { isAlive } from '@product-events/local'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { allNotifications, createProduct } from './api.ts'
import { alive, freePorts, npmStart, postmaster, type Run } from './npm-start.ts'

/** From data to another start, a killed server's backends and a recovery lie between. */
const GONE = { timeout: 15_000, interval: 50 }
const ARRIVES = { timeout: 30_000, interval: 50 }

let dataDir: string
let ports: Record<string, number>
let runs: Run[] = []
beforeAll(async () => {
  // Not below os.tmpdir(): it may be one that only its owner can enter, and PostgreSQL may run as another user.
  dataDir = await mkdtemp('/tmp/product-events-start-')
  await chmod(dataDir, 0o755)
  ports = await freePorts()
})
afterAll(async () => {
  await stopAll()
  await rm(dataDir, { recursive: true, force: true })
})

function start(changes: Record<string, number> = {}): Run {
  const run = npmStart(dataDir, { ...ports, ...changes })
  runs.push(run)
  return run
}

/** The run that an earlier test left, or a new one: each costs five processes. */
async function running(): Promise<Run> {
  runs = runs.filter(({ child }) => child.exitCode === null && child.signalCode === null)
  const run = runs[0] ?? start()
  await run.ready()
  return run
}

async function stopAll(): Promise<void> {
  for (const run of runs.splice(0)) {
    run.child.kill('SIGTERM')
    await run.ended
  }
}

const productsUrl = () => `http://127.0.0.1:${ports.PRODUCT_SERVICE_PORT}`
const notificationsUrl = () => `http://127.0.0.1:${ports.NOTIFICATION_SERVICE_PORT}`

async function notified(productId: string): Promise<number> {
  return (await allNotifications(notificationsUrl(), productId)).length
}

test('the first start makes everything, says what runs where, and a signal leaves nothing running', async () => {
  const run = start()
  await run.ready()
  expect(run.output()).toContain('First start')
  for (const port of Object.values(ports)) expect(run.output()).toContain(`127.0.0.1:${port}`)
  expect(run.output()).toContain('curl')

  const product = await createProduct(productsUrl(), 'Tea')
  await expect.poll(() => notified(product.id), ARRIVES).toBe(1)
  await expect.poll(() => run.output()).toMatch(new RegExp(`^notification-service \\| \\{.*${product.id}`, 'm'))
  expect(run.output()).toMatch(/^product-service +\| \{/m)

  const processes = await run.processes()
  expect(processes.length).toBeGreaterThanOrEqual(4)
  run.child.kill('SIGINT')
  expect(await run.ended).toBe(0)
  expect(alive(processes)).toEqual([])
})

test('a second start has the data, pending messages included', async () => {
  let run = start()
  await run.ready()
  expect(run.output()).not.toContain('First start')
  expect(run.output()).toMatch(/Ready in [\d.]+ s/)

  // The relay is not given the time to publish, nor the consumer to receive.
  const product = await createProduct(productsUrl(), 'Pending tea')
  const processes = await run.processes()
  run.child.kill('SIGKILL')
  for (const { pid } of processes) process.kill(pid, 'SIGKILL')
  await run.ended

  run = start()
  await run.ready()
  await expect.poll(() => notified(product.id), ARRIVES).toBe(1)
})

test('a killed supervisor takes the services with it, and the next start stops the PostgreSQL that is left', async () => {
  const killed = await running()
  const processes = await killed.processes()
  const postgres = await postmaster(dataDir)
  killed.child.kill('SIGKILL')
  await expect.poll(() => alive(processes).includes(postgres), GONE).toBe(true)

  const run = start()
  await run.ready()
  // Whose parent was killed is gone when init has collected it.
  await expect.poll(() => isAlive(postgres), GONE).toBe(false)
  await expect.poll(() => alive(processes), GONE).toEqual([])
})

test('a second start beside a running one says so, and leaves it alone', async () => {
  const first = await running()
  const second = start(await freePorts())
  expect(await Promise.race([second.ended, second.ready()])).toBe(1)
  expect(second.output()).toContain(`npm start runs already (process ${first.child.pid})`)
  expect((await createProduct(productsUrl(), 'Undisturbed')).name).toBe('Undisturbed')
})

test('when PostgreSQL dies, the rest stops and it is named', async () => {
  const run = await running()
  const processes = await run.processes()
  process.kill(await postmaster(dataDir), 'SIGKILL')
  expect(await run.ended).toBe(1)
  expect(run.output()).toContain('PostgreSQL was ended by SIGKILL; stopping the rest.')
  await expect.poll(() => alive(processes), GONE).toEqual([])
})

test('ports in use are told by name, number and the variable that changes each', async () => {
  await stopAll()
  const squatters = ['POSTGRES_PORT', 'PRODUCT_SERVICE_PORT'].map((name) =>
    createServer().listen(ports[name], '127.0.0.1'),
  )
  await Promise.all(squatters.map((server) => once(server, 'listening')))
  try {
    const run = start()
    expect(await run.ended).toBe(1)
    expect(run.output()).toMatch(
      new RegExp(`Port ${ports.POSTGRES_PORT}, for PostgreSQL.*POSTGRES_PORT=\\d+ npm start`),
    )
    expect(run.output()).toMatch(new RegExp(`Port ${ports.PRODUCT_SERVICE_PORT}, for product-service's API.*=\\d+ npm`))
    expect(run.output()).not.toContain('SQS_PORT')
  } finally {
    for (const server of squatters) server.close()
  }
})

test('a port that is no port is told before anything starts', async () => {
  const run = start({ SQS_PORT: 65_536 })
  expect(await run.ended).toBe(1)
  expect(run.output()).toContain('SQS_PORT is "65536": expected a port, 1 to 65535')
})
