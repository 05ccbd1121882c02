import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { freePort, isAlive, isGone, type LocalPostgres, startPostgres } from './index.ts'

let dir: string
let server: LocalPostgres | undefined
beforeAll(async () => {
  dir = await mkdtemp('/tmp/product-events-postgres-')
  await chmod(dir, 0o755) // the server may run as another user
})
afterEach(() => server?.stop())
afterAll(() => rm(dir, { recursive: true, force: true }))

async function start(onFirstStart?: () => void): Promise<LocalPostgres> {
  server = await startPostgres({
    dataDir: join(dir, 'data'),
    port: await freePort(),
    ...(onFirstStart && { onFirstStart }),
  })
  return server
}

async function query(server: LocalPostgres, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: `${server.url}/postgres` })
  client.on('error', () => {}) // the server is about to be killed
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end().catch(() => {})
  }
}

test('an attempt to make the data directory that was interrupted is begun anew', async () => {
  await mkdir(join(dir, 'data.unfinished/base'), { recursive: true })
  await writeFile(join(dir, 'data.unfinished/PG_VERSION'), '18\n')
  let first = false
  const server = await start(() => (first = true))
  expect(first).toBe(true)
  expect(await query(server, 'SHOW server_encoding')).toEqual([{ server_encoding: 'UTF8' }])
  expect(await query(server, 'SHOW fsync')).toEqual([{ fsync: 'on' }])
  await query(server, 'CREATE TABLE kept AS SELECT 1 AS one')
})

test('what was committed before a kill is there after it', async () => {
  const killed = await start()
  await query(killed, 'INSERT INTO kept VALUES (2)')
  killed.process.kill('SIGKILL')
  await once(killed.process, 'exit')
  expect(await query(await start(), 'SELECT one FROM kept ORDER BY one')).toEqual([{ one: 1 }, { one: 2 }])
})

test('a server left behind on the same data is stopped first', async () => {
  const orphan = await start()
  await query(await start(), 'SELECT 1')
  await expect.poll(() => isGone(orphan.process)).toBe(true)
})

test('a process id that belongs to somebody else by now neither stops the start nor is harmed', async () => {
  const killed = await start()
  killed.process.kill('SIGKILL')
  await once(killed.process, 'exit')
  const file = join(dir, 'data/postmaster.pid')
  const [, ...rest] = (await readFile(file, 'utf8')).split('\n')
  await writeFile(file, [process.pid, ...rest].join('\n'))
  expect(await query(await start(), 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  expect(isAlive(process.pid)).toBe(true)
})

test('with a password nobody else gets in, on a cluster that was made without one as well', async () => {
  const dataDir = join(dir, 'closed')
  const port = await freePort()
  const open = await startPostgres({ dataDir, port })
  await open.stop()
  for (const password of ['first', 'second']) {
    const closed = await startPostgres({ dataDir, port, password })
    const enter = async (url: string) => {
      const client = new pg.Client({ connectionString: url })
      try {
        await client.connect()
        return 'in'
      } catch (error) {
        return (error as Error).message
      } finally {
        await client.end().catch(() => {})
      }
    }
    expect(await enter(closed.url)).toBe('in')
    expect(await enter(open.url)).toMatch(/password/)
    expect(await enter(closed.url.replace(password, 'wrong'))).toMatch(/password authentication failed/)
    await closed.stop()
  }
})

test('a port in use rejects with what the server said', async () => {
  const { url } = await start()
  // On files that are there: to make others would take most of the test's time.
  const other = startPostgres({ dataDir: join(dir, 'closed'), port: Number(new URL(url).port) })
  await expect(other).rejects.toThrow('Address already in use')
})
