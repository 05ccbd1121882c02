import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '@product-events/local'

/** It refuses to run as root, and needs no rights. */
const NOBODY = 65534
/** Fewer than the clients of a test, so that they must take turns on the same sessions. */
const SERVER_CONNECTIONS = 3

/** What this machine calls PgBouncer; undefined when it has none. */
export const pgbouncer = ['pgbouncer', '/usr/sbin/pgbouncer'].find((command) => {
  try {
    return execFileSync(command, ['--version'])
  } catch {
    return false
  }
})

export interface PgBouncer {
  /** The URL of the same database through the proxy. */
  url: string
  stop(): Promise<void>
}

/** The user to start PgBouncer as, for `spawn`. */
export function notAsRoot(): { uid?: number; gid?: number } {
  return process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
}

interface TransactionMode {
  /** What leads to PostgreSQL, in libpq's `key=value`. */
  server: string
  /** Where PgBouncer listens. */
  port: number
  /** Sessions of PostgreSQL that the clients share. */
  connections: number
  /** Startup parameters of clients that PgBouncer shall drop; `extra_float_digits` always is. */
  ignore?: string[]
}

/** PgBouncer's configuration file for transaction mode: all users may sign in. */
export function transactionMode({ server, port, connections, ignore = [] }: TransactionMode): string {
  return `[databases]
* = ${server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${connections}
ignore_startup_parameters = ${['extra_float_digits', ...ignore].join(',')}
`
}

/** PgBouncer in transaction mode before the database of `databaseUrl`. `settings` go into the database's line. */
export async function startPgBouncer(
  databaseUrl: string,
  { ignore, settings = '' }: { ignore: string[]; settings?: string },
): Promise<PgBouncer> {
  const { hostname, port: serverPort, pathname } = new URL(databaseUrl)
  const port = await freePort()
  const dir = await mkdtemp('/tmp/pgbouncer-test-')
  await chmod(dir, 0o755)
  await writeFile(
    join(dir, 'pgbouncer.ini'),
    transactionMode({
      server: `host=${hostname} port=${serverPort} user=postgres ${settings}`,
      port,
      connections: SERVER_CONNECTIONS,
      ignore,
    }),
  )
  const child = spawn(pgbouncer!, [join(dir, 'pgbouncer.ini')], { ...notAsRoot(), stdio: ['ignore', 'ignore', 'pipe'] })
  await isUp(child)
  return {
    url: `postgres://postgres@127.0.0.1:${port}${pathname}`,
    async stop() {
      const exit = once(child, 'exit')
      child.kill('SIGINT')
      await exit
      await rm(dir, { recursive: true })
    },
  }
}

function isUp(child: ChildProcess): Promise<void> {
  let said = ''
  return new Promise((resolve, reject) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes('process up')) resolve()
    })
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`PgBouncer did not start: ${said}`)))
  })
}
