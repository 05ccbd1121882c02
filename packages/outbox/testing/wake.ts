import type pg from 'pg'
import { expect } from 'vitest'
import { pgListen } from '../adapters.ts'
import { createOutbox, type Database, type RelayReport, type Send } from '../index.ts'
import { connectForTest } from './outbox.ts'

export const soon = { timeout: 50_000, interval: 5 }

/** A relay as in a process of its own: with its own pool and its own outbox, so that nothing reaches it in memory. */
export interface ForeignRelay {
  /**
   * Resolves when its wake-ups arrive and it has just looked for events: its next look without a wake-up is 2 s away.
   */
  rested(): Promise<void>
  /** How often it has looked after its lease: each time it also looks for events. */
  renewals(): number
  /** Statements that it has sent. */
  statements: string[]
  reports: RelayReport[]
  close(): Promise<void>
}

export function startForeignRelay(
  databaseUrl: string,
  send: Send,
  { listenUrl = databaseUrl, schema = 'public' } = {},
): ForeignRelay {
  const pool: pg.Pool = connectForTest(databaseUrl)
  const statements: string[] = []
  const reports: RelayReport[] = []
  let [renewals, probes, rests] = [0, 0, 0]
  const db: Database = {
    async query(text, values) {
      statements.push(text)
      if (/UPDATE \S+outbox_relays/.test(text)) renewals++
      const result = await pool.query(text, values)
      if (/pg_notify/.test(text)) probes++
      // The last statement of a cycle that finds nothing.
      if (/failed\.next_attempt_at <=/.test(text)) rests++
      return result as never
    },
  }
  const stop = new AbortController()
  const outbox = createOutbox({ schema })
  const relay = outbox.createRelay({
    db,
    send,
    listen: pgListen({ connectionString: listenUrl, application_name: 'wake-ups' }),
    report: (report) => reports.push(report),
  })
  const running = relay.run(stop.signal)
  return {
    statements,
    reports,
    renewals: () => renewals,
    async rested() {
      await expect.poll(() => probes, soon).toBeGreaterThan(0)
      const before = rests
      await expect.poll(() => rests, soon).toBeGreaterThan(before)
    },
    async close() {
      stop.abort()
      await running
      await pool.end()
    },
  }
}
