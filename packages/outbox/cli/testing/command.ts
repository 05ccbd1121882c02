import { freshDatabase } from '@product-events/local'
import type pg from 'pg'
import { append, outboxMigrations } from '../../index.ts'
import { connectForTest, newEvent } from '../../testing/outbox.ts'
import { outboxCommand } from '../index.ts'

/** The command on a database of its own, whose table is empty before each test. */
export async function commandForTest(postgresUrl: string) {
  const databaseUrl = await freshDatabase(postgresUrl, outboxMigrations)
  const db: pg.Pool = connectForTest(databaseUrl)

  async function outbox(line: string, { signal = new AbortController().signal, url = databaseUrl } = {}) {
    const said = { stdout: '', stderr: '' }
    const code = await outboxCommand({
      terminal: {
        args: line.split(' ').filter(Boolean),
        signal,
        stdout: (text) => (said.stdout += text),
        stderr: (text) => (said.stderr += text),
        progress: { now: () => {}, end: () => {} },
      },
      services: ['orders', 'parcels'],
      database: () => ({ url }),
    })
    return { code, ...said }
  }

  return {
    db,
    outbox,
    /** The document of `--json`. */
    json: async (line: string): Promise<unknown> => JSON.parse((await outbox(`${line} --json`)).stdout),
    /** Events of these keys, of which the ones at `dead` are dead. */
    async given(keys: string[], dead: number[]) {
      const events = keys.map((key, n) => newEvent(key, { n }))
      await append(db, events)
      await db.query(
        `UPDATE events SET status = 'dead', attempts = 10, last_error = 'InvalidMessageContents' WHERE id = ANY ($1)`,
        [dead],
      )
      return events
    },
    empty: () => db.query('TRUNCATE events RESTART IDENTITY'),
  }
}
