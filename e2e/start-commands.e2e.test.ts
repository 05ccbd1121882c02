import { chmod, mkdtemp, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
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

/** A command through npm, in a terminal, with no variable but DATA_DIR. */
async function npmRun(line: string) {
  const { PATH, HOME, DATA_DIR } = env
  const terminal = inPseudoTerminal(`npm run --silent ${line}`, {
    cwd: root,
    env: { PATH, HOME, DATA_DIR, NO_COLOR: '1' },
  })
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

test('one Ctrl-C through npm stops everything in order', async () => {
  stack.type('\x03')
  expect(await stack.ended).toBe(0)
  expect(stack.shown()).toContain('Stopping.')
  expect(stack.shown()).not.toContain('was ended by')
  const { DATA_DIR } = env
  await expect(stat(join(DATA_DIR ?? '', 'postgres/postmaster.pid'))).rejects.toThrow('ENOENT')
})
