import type pg from 'pg'
import { withDates } from '../../database.ts'
import type { Source } from '../answers.ts'

type Database = Pick<pg.Pool, 'query'>

export type ActedOn = Exclude<Source, 'failing'>

/** An action as the audit table has it. */
export interface ActionRow {
  id: string
  at: Date
  who: string
  what: 'redrive' | 'delete'
  source: ActedOn
  reason: string
  why: string
  ids: string[]
  event_ids: string[]
  done: number
  state: 'running' | 'finished' | 'stopped'
}

export interface NewAction {
  who: string
  what: ActionRow['what']
  source: ActedOn
  reason: string
  why: string
  rate: number
  ids: string[]
  event_ids: string[]
}

/** Nothing is done before it is recorded. */
export async function recordAction(db: Database, action: NewAction): Promise<string> {
  const { who, what, source, reason, why, rate, ids, event_ids } = action
  const { rows } = await db.query<{ id: string }>(
    `INSERT INTO console.actions (who, what, source, reason, why, rate, ids, event_ids)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     RETURNING id`,
    [who, what, source, reason, why, rate, ids, event_ids],
  )
  return rows[0]?.id ?? ''
}

export async function recordProgress(db: Database, id: string, done: number): Promise<void> {
  await db.query('UPDATE console.actions SET done = $2 WHERE id = $1', [id, done])
}

export async function recordEnd(db: Database, id: string, state: 'finished' | 'stopped', done: number): Promise<void> {
  await db.query(`UPDATE console.actions SET state = $2, done = $3, finished_at = clock_timestamp() WHERE id = $1`, [
    id,
    state,
    done,
  ])
}

/** What is left from a console that ended in the middle of it. */
export async function stopUnfinished(db: Database): Promise<void> {
  await db.query(
    `UPDATE console.actions SET state = 'stopped', finished_at = clock_timestamp() WHERE state = 'running'`,
  )
}

/** The newest actions first. */
export async function listActions(db: Database, limit: number): Promise<ActionRow[]> {
  const { rows } = await db.query<ActionRow>(
    `SELECT id, to_json(at) AS at, who, what, source, reason, why, ids, event_ids, done, state
     FROM console.actions
     ORDER BY id DESC
     LIMIT $1`,
    [limit],
  )
  return withDates(rows, 'at')
}
