import { AssertionError } from 'node:assert'
import { isDeepStrictEqual } from 'node:util'
import { type Database, outboxTables } from './database.ts'

/** The fields that a test cares about. */
export interface ExpectedEvent {
  id?: string
  key?: string
  type?: string
  payload?: unknown
  headers?: Record<string, string>
}

export interface TablesOptions {
  /** The schema of the outbox's tables. Default: `outbox`. */
  schema?: string
}

interface EventRow extends Required<ExpectedEvent> {
  number: string
  status: string
  attempts: number
  last_error: string | null
}

const FIELDS = ['id', 'key', 'type', 'payload', 'headers'] as const

/**
 * Expects that the events which `tx` sees in the outbox are these, in the order of `append`, comparing the fields that
 * are named. `tx` is the open transaction of a test, which also sees uncommitted events, or a pool.
 * Rejects with an `AssertionError` of Node that shows all events of the outbox.
 */
export async function expectEvents(
  tx: Database,
  expected: readonly ExpectedEvent[],
  options: TablesOptions = {},
): Promise<void> {
  const rows = await eventsOf(tx, options)
  const actual = rows.map((row, index) => picked(row, expected[index]))
  const wanted = expected.map((event) => picked(event, event))
  if (isDeepStrictEqual(actual, wanted)) return
  throw new AssertionError({
    message: `The outbox has other events than expected.\nexpected: ${JSON.stringify(wanted)}\nactual:   ${JSON.stringify(actual)}\n\n${dump(rows)}`,
    actual,
    expected: wanted,
    operator: 'deepStrictEqual',
    stackStartFn: expectEvents,
  })
}

/**
 * All events of the outbox as text, for the message of an assertion of your own: status, key, type, attempts, payload.
 */
export async function dumpEvents(tx: Database, options: TablesOptions = {}): Promise<string> {
  return dump(await eventsOf(tx, options))
}

async function eventsOf(db: Database, { schema = 'outbox' }: TablesOptions): Promise<EventRow[]> {
  const tables = outboxTables(db, schema)
  const { rows } = await tables.db.query<Omit<EventRow, 'payload' | 'headers'> & { payload: string; headers: string }>(
    `SELECT id::text AS number, event_id::text AS id, status, key, type, attempts::int, last_error,
            payload::text, headers::text
     FROM ${tables.schema}.events AS event
     ORDER BY event.id`,
    [],
  )
  return rows.map((row) => ({
    ...row,
    payload: JSON.parse(row.payload) as unknown,
    headers: JSON.parse(row.headers) as Record<string, string>,
  }))
}

/** The fields of `event` that `named` has; all of an event that nothing was expected for. */
function picked(event: ExpectedEvent, named: ExpectedEvent | undefined): ExpectedEvent {
  return Object.fromEntries(
    FIELDS.filter((field) => named?.[field] !== undefined || !named).map((field) => [field, event[field]]),
  )
}

function dump(rows: readonly EventRow[]): string {
  if (rows.length === 0) return 'The outbox is empty.'
  const lines = rows.map(
    ({ number, status, key, type, attempts, last_error, payload }) =>
      `${number} ${status} ${type} ${key} attempts ${attempts} ${JSON.stringify(payload)}${last_error === null ? '' : `: ${last_error}`}`,
  )
  return ['Events in the outbox:', ...lines].join('\n  ')
}
