import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { isGone, type Part } from '@product-events/local'
import { notAsRoot, transactionMode } from '../../packages/outbox/testing/pgbouncer.ts'

/** Fewer than the clients, so that they take turns on the same sessions. */
const SERVER_CONNECTIONS = 20

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
    transactionMode({
      server: `host=127.0.0.1 port=${postgresPort} user=${role}`,
      port,
      connections: SERVER_CONNECTIONS,
    }),
  )
  const child = spawn(command, ['-q', file], { ...notAsRoot(), detached: true, stdio: ['ignore', 'ignore', 'pipe'] })
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
