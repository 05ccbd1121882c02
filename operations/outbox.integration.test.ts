import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect, migrate } from '@product-events/database'
import { createDatabase, dropDatabase, freshDatabase, machineVariables } from '@product-events/local'
import { append, outboxMigrations } from '@product-events/outbox'
import { afterEach, expect, inject, onTestFinished, test } from 'vitest'
import { inPseudoTerminal } from '../packages/terminal/testing/pseudo-terminal.ts'
import { readOperationsConfig } from './config.ts'

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** Where no `npm start` has left its addresses. */
const NO_STACK = { DATA_DIR: join(import.meta.dirname, 'no-such-folder') }

function start(args: string[], env: Record<string, string>) {
  const file = join(import.meta.dirname, 'outbox.ts')
  const child = spawn(process.execPath, [file, ...args], {
    env: { ...machineVariables(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)]
  return {
    child,
    ended: once(child, 'exit').then(async ([code]) => ({ code, stdout: await stdout, stderr: await stderr })),
  }
}

test('one DATABASE_URL serves both services, each in its database, unless it names one', () => {
  expect(readOperationsConfig({ DATABASE_URL: 'postgres://u@h:5432' })).toEqual({
    'product-service': 'postgres://u@h:5432/products',
    'notification-service': 'postgres://u@h:5432/notifications',
  })
  expect(readOperationsConfig({ DATABASE_URL: 'postgres://h/x' })['notification-service']).toBe('postgres://h/x')
})

test('help needs no environment; a command without DATABASE_URL says what is missing and gives an example', async () => {
  const [help, status] = await Promise.all([start(['--help'], {}).ended, start(['status'], NO_STACK).ended])
  expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining('product-service, notification-service') })
  expect(status).toMatchObject({ code: 1, stdout: '' })
  expect(status.stderr).toMatch(
    /^outbox: configuration: DATABASE_URL is not set: .*postgres:\/\/user:password@host:5432.* npm start.*\n$/,
  )
})

test('one Ctrl-C through npm stops a slow redrive between two events, and it says how far it came', async () => {
  const databaseUrl = await freshDatabase(inject('postgresUrl'), outboxMigrations)
  const db = connect({ databaseUrl, applicationName: 'test', maxConnections: 2, onIdleError: () => {} })
  const event = (n: number) => ({ id: crypto.randomUUID(), key: String(n), type: 'x', payload: {} })
  await append(
    db,
    Array.from({ length: 50 }, (_, n) => event(n)),
  )
  await db.query(`UPDATE events SET status = 'dead'`)
  const terminal = inPseudoTerminal('npm run --silent outbox -- redrive --all --rate 2', {
    cwd: join(import.meta.dirname, '..'),
    env: { ...machineVariables(), TERM: 'xterm', DATABASE_URL: databaseUrl },
  })
  onTestFinished(terminal.kill)
  const pending = async () => (await db.query(`SELECT FROM events WHERE status = 'pending'`)).rowCount ?? 0
  await expect.poll(pending, { timeout: 50_000 }).toBeGreaterThan(0)
  terminal.type('\x03')
  expect(await terminal.ended).toBe(130)
  expect(terminal.shown()).toContain(`${await pending()} event`)
  expect(terminal.shown()).toContain(`Stopped: ${50 - (await pending())} events left as they were.`)
  await db.end()
})

test('--service looks into the database of that service: a dead delivery is found there, and sent again', async () => {
  const server = inject('postgresUrl')
  const databaseUrl = await createDatabase(server, 'notifications')
  await migrate(databaseUrl, outboxMigrations)
  const db = connect({ databaseUrl, applicationName: 'test', maxConnections: 1, onIdleError: () => {} })
  onTestFinished(async () => {
    await db.end()
    await dropDatabase(databaseUrl)
  })
  await append(db, [{ id: crypto.randomUUID(), key: 'webhook:erp:1', type: 'product.created', payload: {} }])
  await db.query(`UPDATE events SET status = 'dead', last_error = 'HTTP 410'`)
  const service = ['--service', 'notification-service']
  const list = await start(['list', ...service], { DATABASE_URL: server }).ended
  expect(list).toMatchObject({ code: 0, stdout: expect.stringMatching(/^1 .* webhook:erp:1 .* HTTP 410$/m) })
  expect(await start(['redrive', '1', ...service], { DATABASE_URL: server }).ended).toMatchObject({ code: 0 })
  expect((await db.query('SELECT status FROM events')).rows).toEqual([{ status: 'pending' }])
})
