import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { freePort } from '@product-events/local'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inPseudoTerminal, type PseudoTerminal } from '../packages/terminal/testing/pseudo-terminal.ts'
import { createProduct } from './api.ts'
import { freePorts } from './npm-start.ts'

const root = join(import.meta.dirname, '..')

let dataDir: string
let env: NodeJS.ProcessEnv
let stack: PseudoTerminal
beforeAll(async () => {
  // Not below os.tmpdir(): it may be one that only its owner can enter, and PostgreSQL may run as another user.
  dataDir = await mkdtemp('/tmp/product-events-commands-')
  await chmod(dataDir, 0o755)
  const ports = await freePorts()
  const numbers = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)]))
  env = { PATH: process.env.PATH, HOME: process.env.HOME, TERM: 'xterm', DATA_DIR: dataDir, ...numbers }
  stack = inPseudoTerminal('npm start', { cwd: root, env })
  await stack.until('Ready in')
})
afterAll(async () => {
  stack.kill()
  await rm(dataDir, { recursive: true, force: true })
})

/** A command through npm, in a terminal, with DATA_DIR and `variables` only. */
function startNpmRun(line: string, variables: NodeJS.ProcessEnv = {}): PseudoTerminal {
  const { PATH, HOME, DATA_DIR, CONSOLE_PORT } = env
  return inPseudoTerminal(`npm run --silent ${line}`, {
    cwd: root,
    env: { PATH, HOME, DATA_DIR, CONSOLE_PORT, NO_COLOR: '1', ...variables },
  })
}

async function npmRun(line: string) {
  const terminal = startNpmRun(line)
  return { code: await terminal.ended, shown: terminal.shown().replaceAll('\r', '') }
}

test('what npm start leaves is for this user only: addresses, password, control', async () => {
  for (const file of ['stack.env', 'postgres-password', 'control-url'])
    expect((await stat(join(dataDir, file))).mode & 0o077, file).toBe(0)
  expect((await stat(dataDir)).mode & 0o007).toBe(0)
  expect(stack.shown()).not.toMatch(/postgres:\/\/postgres:/)
})

test('without a variable the commands find the stack, say so, and speak of no .env', async () => {
  const product = await createProduct(`http://127.0.0.1:${env.PRODUCT_SERVICE_PORT}`, 'Tea')
  const found = await npmRun(`find -- ${product.id} --watch`)
  expect(found.shown).toMatch(/1 event of product [^]*All of them are notified\./)
  for (const line of ['outbox -- status', 'inbox -- status', `find -- ${product.id}`]) {
    const { code, shown } = await npmRun(line)
    expect({ line, code, shown }).toEqual({ line, code: 0, shown: expect.stringContaining(join(dataDir, 'stack.env')) })
    expect(shown).not.toContain('.env not found')
  }
  // On a machine that is busy with other tests a relay may be late for a moment.
  await expect.poll(async () => (await npmRun('status')).shown, { timeout: 60_000 }).toContain('Nothing is wrong.')
  for (const name of ['outbox', 'inbox', 'find', 'status', 'demo'])
    expect({ name, code: (await npmRun(`${name} -- --nonsense`)).code }).toEqual({ name, code: 2 })
})

test('a request under a foreign name is refused while nobody signs in', async () => {
  const { PRODUCT_SERVICE_PORT: port } = env
  const terminal = inPseudoTerminal(
    `curl -s -o /dev/null -w '%{http_code}' -H 'Host: rebound.example:${port}' http://127.0.0.1:${port}/products`,
  )
  await terminal.ended
  expect(terminal.shown()).toBe('403')
})

test('npm run demo plays a fault, and says each headline of the console until every event arrives again', async () => {
  const { code, shown } = await npmRun('demo -- kill-relay')
  expect({ code, shown }).toEqual({
    code: 0,
    shown: expect.stringMatching(
      / s {2}(product-service does not answer|No relay|\d+ lanes?)[^]* s {2}Every event arrives\.\n$/,
    ),
  })
})

test('one Ctrl-C through npm ends a demo, and its traffic with it', async () => {
  const demo = startNpmRun('demo -- sqs-away')
  await demo.until('SQS is unreachable.')
  demo.type('\x03')
  expect(await demo.ended).toBe(130)
  const trial = await fetch(`http://127.0.0.1:${env.CONSOLE_PORT}/api/trial`)
  expect(await trial.json()).toMatchObject({ traffic: 0 })
})

test.each([
  ['status -- --watch', /tell/, 130, 'tell'],
  ['find -- 01997c1e-6a5b-7c3d-8e9f-0a1b2c3d4e5f --watch', /[Nn]ot found/, 130, 'ot found'],
  ['console', /started/, 0, 'stopped'],
  ['relay', /is ready/, 0, 'stopped'],
  ['product-service', /is ready/, 0, 'stopped'],
  ['notification-service', /is ready/, 0, 'stopped'],
])('one Ctrl-C through npm ends npm run %s, with its last words', async (line, started, code, lastWords) => {
  const [http, metrics] = [await freePort(), await freePort()]
  const terminal = startNpmRun(line, {
    ...(code === 0 && parseEnv(await readFile(join(dataDir, 'stack.env'), 'utf8'))),
    HTTP_PORT: String(http),
    METRICS_PORT: String(metrics),
  })
  await terminal.until(started)
  terminal.type('\x03')
  expect({ code: await terminal.ended, shown: terminal.shown() }).toEqual({
    code,
    shown: expect.stringContaining(lastWords),
  })
  expect(terminal.shown()).not.toMatch(/npm error|was ended by/)
})

test('one Ctrl-C through npm stops everything in order', async () => {
  stack.type('\x03')
  expect(await stack.ended).toBe(0)
  expect(stack.shown()).toContain('Stopping.')
  expect(stack.shown()).not.toContain('was ended by')
  const { DATA_DIR } = env
  await expect(stat(join(DATA_DIR ?? '', 'postgres/postmaster.pid'))).rejects.toThrow('ENOENT')
})
