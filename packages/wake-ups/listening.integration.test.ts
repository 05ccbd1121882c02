import { createServer, connect as connectSocket, type Socket } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect } from '@product-events/database'
import { dropDatabase, freshDatabase } from '@product-events/local'
import pg from 'pg'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { pgbouncer, startPgBouncer } from '../outbox/testing/pgbouncer.ts'
import { createNotifier, createProbe, keepListening } from './index.ts'
import { pgListen } from './pg.ts'

const soon = { timeout: 50_000, interval: 10 }
const CHANNEL = 'Things "stored"'

let databaseUrl: string
let pool: pg.Pool
const opened: (() => unknown)[] = []
beforeEach(async () => {
  databaseUrl = await freshDatabase(inject('postgresUrl'))
  pool = connect({ databaseUrl, applicationName: 'test', maxConnections: 3, onIdleError: () => {} })
})
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
  await pool.end()
  await dropDatabase(databaseUrl)
})

function startListening(url = databaseUrl, db = pool) {
  const payloads: string[] = []
  const stop = new AbortController()
  const reports: string[] = []
  const { works, ended } = keepListening({
    listen: pgListen({ connectionString: url, application_name: 'listener' }),
    probe: createProbe(db, CHANNEL),
    channel: CHANNEL,
    onNotification: (payload) => void payloads.push(payload),
    onLost: (reason) => void reports.push(reason),
    onBack: () => void reports.push('back'),
    signal: stop.signal,
  })
  const close = async () => {
    stop.abort()
    await ended
  }
  opened.push(close)
  return { payloads, reports, works, close }
}

async function listeners(): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'listener' AND datname = current_database()`,
  )
  return rows[0]?.count ?? NaN
}

test('a notification of any session arrives, after an empty one that says that some may have been missed', async () => {
  const { payloads, works, close } = startListening()
  await expect.poll(works, soon).toBe(true)
  createNotifier(pool, CHANNEL, 'from the pool')()
  await expect.poll(() => payloads, soon).toEqual(['', 'from the pool'])
  await close()
  expect(works()).toBe(false)
  await expect.poll(listeners, soon).toBe(0)
})

test('many notifications of a process at once become few, and the last one is sent after the last call', async () => {
  const { payloads, works } = startListening()
  await expect.poll(works, soon).toBe(true)
  const notify = createNotifier(pool, CHANNEL, 'x')
  for (let round = 0; round < 1_000; round++) notify()
  await expect.poll(() => payloads.length, soon).toBe(3)
})

test('a connection that is lost is replaced, and says that notifications may have been missed', async () => {
  const { payloads, works } = startListening()
  await expect.poll(works, soon).toBe(true)
  await pool.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'listener'`)
  await expect.poll(works, soon).toBe(false)
  await expect.poll(works, soon).toBe(true)
  expect(payloads).toEqual(['', ''])
})

test('a connection that is silent without an error is found out', async () => {
  const { port, freeze } = await freezable(databaseUrl)
  const url = new URL(databaseUrl)
  url.port = String(port)
  const { works } = startListening(url.href)
  await expect.poll(works, soon).toBe(true)
  freeze()
  await expect.poll(works, soon).toBe(false)
})

test.runIf(pgbouncer)(
  'behind a pooler that hands connections out by the transaction it says that it does not work',
  async () => {
    const proxy = await startPgBouncer(databaseUrl, {
      ignore: ['statement_timeout', 'idle_in_transaction_session_timeout'],
    })
    opened.push(proxy.stop)
    const behind = connect({
      databaseUrl: proxy.url,
      applicationName: 'test',
      maxConnections: 3,
      onIdleError: () => {},
    })
    opened.push(() => behind.end())
    const probes: unknown[] = []
    const db = {
      query: async (text: string, values: unknown[]) => {
        await behind.query(text, values)
        probes.push(values)
      },
    } as unknown as pg.Pool
    const { payloads, works } = startListening(proxy.url, db)
    await expect.poll(() => probes.length, soon).toBe(1)
    // The connection is given up: it had time to hear the probe, and did not.
    await expect.poll(() => clientsOf(proxy.url), soon).not.toContain('listener')
    expect(works()).toBe(false)
    expect(payloads).toEqual([])
  },
)

/** The application names of the clients of a PgBouncer. */
async function clientsOf(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: Object.assign(new URL(url), { pathname: '/pgbouncer' }).href })
  await client.connect()
  try {
    const { rows } = await client.query<{ application_name: string }>('SHOW CLIENTS')
    return rows.map((row) => row.application_name)
  } finally {
    await client.end()
  }
}

/** A way to the database that can stop passing anything on, without an end of the connection. */
async function freezable(url: string) {
  const sockets: Socket[] = []
  const server = createServer((client) => {
    const onward = connectSocket(Number(new URL(url).port), '127.0.0.1')
    for (const socket of [client, onward]) {
      socket.on('error', () => {})
      sockets.push(socket)
    }
    client.pipe(onward).pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  opened.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    freeze: () => {
      for (const socket of sockets) socket.unpipe().pause()
    },
  }
}
