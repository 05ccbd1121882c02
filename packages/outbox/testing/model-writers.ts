import type pg from 'pg'
import { append } from '../append.ts'
import { outboxTables } from '../database.ts'
import { listEvents } from '../find.ts'
import { redrive } from '../redrive.ts'
import type { Ledger } from './ledger.ts'

/** What applications and operators do to the outbox. */
export interface ModelWriters {
  /** Appends and commits. Keys whose lock an open transaction has are left out: a writer would wait for it. */
  append(keys: readonly string[], attempts: number): Promise<void>
  /** Appends in a transaction that stays open until `endLate`. */
  appendLate(key: string): Promise<void>
  endLate(key: string, commits: boolean): Promise<void>
  /** Commits all that is open. */
  endAllLate(): Promise<void>
  redrive(): Promise<void>
  end(): Promise<void>
}

export function createModelWriters(db: pg.Pool, ledger: Ledger): ModelWriters {
  const late = new Map<string, { tx: pg.PoolClient; ids: string[] }>()

  async function endLate(key: string, commits: boolean): Promise<void> {
    const open = late.get(key)
    if (open === undefined) return
    late.delete(key)
    await open.tx.query(commits ? 'COMMIT' : 'ROLLBACK')
    open.tx.release()
    if (commits) ledger.committed(open.ids)
  }

  return {
    async append(keys, attempts) {
      const free = keys.filter((key) => !late.has(key))
      const events = ledger.newEvents(free, { committed: true, attempts })
      await append(db, events)
      if (attempts === 0) return
      const ids = events.map(({ id }) => id)
      await db.query('UPDATE events SET attempts = $2 WHERE event_id = ANY ($1)', [ids, attempts])
    },
    async appendLate(key) {
      if (late.has(key)) return
      const tx = await db.connect()
      await tx.query('BEGIN')
      const events = ledger.newEvents([key, key], { committed: false, attempts: 0 })
      await append(tx, events)
      late.set(key, { tx, ids: events.map(({ id }) => id) })
    },
    endLate,
    async endAllLate() {
      for (const key of late.keys()) await endLate(key, true)
    },
    async redrive() {
      const dead = await listEvents(outboxTables(db), { status: 'dead' }, '0', 1_000)
      const ids = dead.map(({ id }) => id)
      await redrive(outboxTables(db), ids, { by: 'model', signal: new AbortController().signal, onProgress: () => {} })
      ledger.redriven(dead.map((event) => event.event_id))
    },
    async end() {
      for (const { tx } of late.values()) tx.release(true)
    },
  }
}
