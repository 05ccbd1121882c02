import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import type { CrashStack } from './crash-stack.ts'

const run = promisify(execFile)
const repository = `${import.meta.dirname}/../..`
const names = ['notifications', 'products'] as const
/** A session that comes back between the end of all sessions and the copy makes PostgreSQL refuse the copy. */
const TRIES = 100
const PAUSE_MS = 50
/** How far before the copy to resend, as docs/operations.md says: consumers lag. */
const LONGEST_LAG_MS = 3_600_000

/** A copy of both databases at one moment each, notifications first: they lack what the outbox calls processed. */
export interface EarlierState {
  /**
   * Puts both databases back, and does what docs/operations.md says. The services are locked out until versions are
   * raised.
   */
  restore(): Promise<void>
}

export async function copyState(stack: CrashStack): Promise<EarlierState> {
  const { postgresUrl, role } = stack
  const admin = new pg.Client(`${postgresUrl}/postgres`)
  await admin.connect()
  const since = new Date(Date.now() - LONGEST_LAG_MS).toISOString()

  async function withoutSessions(name: string, statement: string): Promise<void> {
    for (let tries = 1; ; tries++) {
      await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name])
      const error = await admin.query(statement).then(
        () => undefined,
        (error: unknown) => error as Error,
      )
      if (error === undefined) return
      if (tries === TRIES) throw error
      await sleep(PAUSE_MS)
    }
  }

  async function lockedOut(work: () => Promise<void>): Promise<void> {
    await admin.query(`ALTER ROLE ${role} NOLOGIN`)
    try {
      await work()
    } finally {
      await admin.query(`ALTER ROLE ${role} LOGIN`)
    }
  }

  await lockedOut(async () => {
    for (const name of names)
      await withoutSessions(name, `CREATE DATABASE ${name}_earlier TEMPLATE ${name} OWNER ${role}`)
  })

  return {
    async restore() {
      await lockedOut(async () => {
        for (const name of names) {
          await withoutSessions(name, `DROP DATABASE ${name}`)
          await withoutSessions(`${name}_earlier`, `ALTER DATABASE ${name}_earlier RENAME TO ${name}`)
        }
        await command('services/product-service/raise-versions-main.ts', [], `${postgresUrl}/products`)
      })
      await command('operations/outbox.ts', ['resend', '--since', since], `${postgresUrl}/products`)
      await admin.end()
    },
  }
}

async function command(main: string, args: string[], databaseUrl: string): Promise<void> {
  const env = { ...process.env, DATABASE_URL: databaseUrl, PRODUCTS_DATABASE_URL: databaseUrl }
  await run(process.execPath, [`${repository}/${main}`, ...args], { cwd: repository, env })
}
