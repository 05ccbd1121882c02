import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { isGone, type Part } from '@product-events/local'

/** PgBouncer refuses to run as root, and needs no rights. */
const NOBODY = 65534
/** Fewer than the clients, so that they take turns on the same sessions. */
const SERVER_CONNECTIONS = 20

/** What this machine calls PgBouncer; undefined when it has none. */
export function findPgBouncer(): string | undefined {
  return ['pgbouncer', '/usr/sbin/pgbouncer'].find((command) => {
    try {
      return execFileSync(command, ['--version'])
    } catch {
      return false
    }
  })
}

export interface PoolerOptions {
  command: string
  dir: string
  port: number
  postgresPort: number
  role: string
}

/** Starts PgBouncer in transaction mode before PostgreSQL, to which it signs in as `role`. */
export async function startPooler({ command, dir, port, postgresPort, role }: PoolerOptions): Promise<Part> {
  const file = `${dir}/pgbouncer.ini`
  await writeFile(
    file,
    `[databases]
* = host=127.0.0.1 port=${postgresPort} user=${role}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${SERVER_CONNECTIONS}
ignore_startup_parameters = extra_float_digits
`,
  )
  const asNobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
  const child = spawn(command, ['-q', file], { ...asNobody, detached: true, stdio: ['ignore', 'ignore', 'pipe'] })
  let words = ''
  child.stderr.on('data', (piece: Buffer) => (words = (words + piece.toString()).slice(-2_000)))
  await once(child, 'spawn')
  return {
    name: 'PgBouncer',
    process: child,
    lastWords: () => words,
    stop: () => end(child),
    kill: () => child.kill('SIGKILL'),
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (isGone(child)) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}
