import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { freshDatabase, freePort, type LocalPostgres, startPostgres } from '@product-events/local'
import { chmod } from 'node:fs/promises'
import pg from 'pg'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { failureOf } from '@product-events/outages'
import { connect, databaseFault, disconnect } from './index.ts'

const patiently = { timeout: 50_000 }

test('a statement whose caller was told that it failed is cancelled, and never happens', async () => {
  const databaseUrl = await freshDatabase(inject('postgresUrl'))
  const pool = connect({ databaseUrl, applicationName: 'given-up', maxConnections: 2, onIdleError: () => {} })
  const [admin, onlooker] = [1, 2].map(() => new pg.Client({ connectionString: databaseUrl })) as [pg.Client, pg.Client]
  await Promise.all([admin.connect(), onlooker.connect()])
  try {
    await admin.query('CREATE TABLE things (id int)')
    await admin.query('BEGIN; LOCK TABLE things')
    const late = pool.query({ text: 'INSERT INTO things VALUES (1)', query_timeout: 500 } as pg.QueryConfig)
    await expect(late).rejects.toThrow('Query read timeout')
    await vi.waitFor(async () => {
      const { rowCount } = await onlooker.query(
        `SELECT FROM pg_stat_activity WHERE application_name = 'given-up' AND state = 'active'`,
      )
      expect(rowCount).toBe(0)
    }, patiently)
    await admin.query('COMMIT')
    expect((await pool.query('SELECT FROM things')).rowCount).toBe(0)
  } finally {
    await Promise.all([admin.end(), onlooker.end(), pool.end()])
  }
})

test('a statement that the server refuses costs no connection; a connection that broke is replaced', async () => {
  const databaseUrl = await freshDatabase(inject('postgresUrl'))
  const pool = connect({ databaseUrl, applicationName: 'refused', maxConnections: 1, onIdleError: () => {} })
  const backend = async () => (await pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid
  try {
    const first = await backend()
    for (const refused of ['SELECT 1 / 0', 'SELECT', 'no SQL', `SELECT 'x'::int`, 'SELECT * FROM nowhere'])
      await pool.query(refused).catch(() => {})
    expect(await backend()).toBe(first)
    await expect(pool.query('SELECT pg_terminate_backend(pg_backend_pid())')).rejects.toThrow('terminat')
    expect(await backend()).not.toBe(first)
  } finally {
    await pool.end()
  }
})

test('a process that stops waits six seconds for the database, however many statements follow each other', async () => {
  const databaseUrl = await freshDatabase(inject('postgresUrl'))
  const options = { databaseUrl, applicationName: 'stopping', maxConnections: 1, onIdleError: () => {} }
  const stopping = new AbortController()
  const pool = connect({ ...options, stopping: stopping.signal })
  const sleeps = async () => (await failureOf(() => pool.query('SELECT pg_sleep(60)')))?.message
  const stop = async () => [await sleeps(), await sleeps(), await sleeps()]
  await pool.query('SELECT 1')
  stopping.abort()
  const from = performance.now()
  const failures = await stop()
  await disconnect(pool)
  expect(failures).toEqual([
    'Query read timeout',
    'Connection terminated unexpectedly',
    expect.stringContaining('after calling end'),
  ])
  expect(performance.now() - from).toBeGreaterThan(5_900)
  expect(performance.now() - from).toBeLessThan(8_000)
})

test('a database that takes no writes, and one that lacks a grant, say so', async () => {
  const databaseUrl = await freshDatabase(inject('postgresUrl'))
  const name = new URL(databaseUrl).pathname.slice(1)
  const role = `writer_${process.pid}_${Date.now()}`
  const admin = connect({ databaseUrl, applicationName: 'test', maxConnections: 1, onIdleError: () => {} })
  const needs = { 'public.things': ['SELECT', 'INSERT'] } as const
  const asWriter = async () => {
    const url = databaseUrl.replace('postgres@', `${role}@`)
    const pool = connect({ databaseUrl: url, applicationName: 'test', maxConnections: 1, onIdleError: () => {} })
    try {
      return await databaseFault(pool, needs)
    } finally {
      await pool.end()
    }
  }
  await admin.query(`CREATE TABLE things (id int); CREATE ROLE ${role} LOGIN; GRANT SELECT ON things TO ${role}`)
  expect(await asWriter()).toBe('permission denied: INSERT on public.things')
  await admin.query(`GRANT INSERT ON things TO ${role}`)
  expect(await asWriter()).toBeUndefined()
  await admin.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`)
  expect(await asWriter()).toBe('takes no writes')
  await admin.end()
})

let dir: string
let postgres: LocalPostgres
beforeAll(async () => {
  dir = await mkdtemp('/tmp/rotation-test-')
  await chmod(dir, 0o755)
  postgres = await startPostgres({ dataDir: `${dir}/postgres`, port: await freePort() })
})
afterAll(async () => {
  await postgres.stop()
  await rm(dir, { recursive: true, force: true })
})

test('a password that is rotated under load, with every connection opened anew, fails no statement', async () => {
  const admin = new pg.Client({ connectionString: postgres.url })
  await admin.connect()
  await admin.query(`CREATE ROLE app LOGIN PASSWORD 'first'`)
  // Local connections are trusted by the test's server; those of this role must prove who they are.
  const { rows } = await admin.query<{ file: string }>(`SELECT current_setting('hba_file') AS file`)
  await writeFile(
    rows[0]!.file,
    'host all app 127.0.0.1/32 scram-sha-256\nlocal all all trust\nhost all all all trust\n',
  )
  await admin.query('SELECT pg_reload_conf()')
  const path = `${dir}/password`
  await writeFile(path, 'first\n')
  const url = new URL(postgres.url)
  url.username = 'app'
  url.pathname = '/postgres'
  const pool = connect({
    databaseUrl: url.href,
    credentials: { kind: 'file', path },
    applicationName: 'rotated',
    maxConnections: 4,
    onIdleError: () => {},
  })
  const failures: Error[] = []
  const others = new Set<string>()
  let answered = 0
  let stopped = false
  const clients = Array.from({ length: 8 }, async () => {
    while (!stopped) {
      await pool.query('SELECT 1').then(
        () => answered++,
        // The terminated connection itself may break under a statement: that is an outage, not a refused password.
        (error: Error & { code?: string }) => {
          others.add(error.message)
          if (error.code?.startsWith('28')) failures.push(error)
        },
      )
    }
  })
  for (const password of ['second', 'third']) {
    const before = answered
    await admin.query(`ALTER ROLE app PASSWORD '${password}'`)
    await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rotated'`)
    await writeFile(path, password)
    await vi.waitFor(() => expect(answered, [...others].join()).toBeGreaterThan(before + 50), patiently)
  }
  stopped = true
  await Promise.all(clients)
  expect(failures).toEqual([])
  await writeFile(path, 'wrong')
  await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rotated'`)
  await vi.waitFor(async () => expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: '28P01' }), patiently)
  await pool.end()
  await admin.end()
})
