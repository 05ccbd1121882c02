import { setTimeout as sleep } from 'node:timers/promises'
import { quotedName } from './names.ts'
import { withPgClient } from './pg-client.ts'

/**
 * Writers that queue behind a migration's lock wait no longer than this, and then take their turn before the next try.
 */
const LOCK_TIMEOUT = '2s'
const RETRY_AFTER_MS = 1_000
/** A longer wait needs a person who ends the transaction that holds the lock. */
const GIVE_UP_AFTER_MS = 60_000
/** SQLSTATE of a lock that was not granted within `lock_timeout`. */
const LOCK_NOT_AVAILABLE = '55P03'
/** The key that `migrateDatabase` and node-pg-migrate use: processes that migrate one database take turns. */
const LOCK_KEY = '7241865325823964'

/** Anything that runs SQL as a `pg` client does. */
interface Client {
  query(text: string, values: unknown[]): Promise<unknown>
}

/** The steps of a library's tables, in a schema that its user chooses. */
export interface Steps {
  /** The library, for messages. */
  of: string
  /** The table in that schema that remembers which steps ran, with its columns. It has a column `name`. */
  table: string
  columns: string
  /** The SQL that notes a step, as values of the other columns: `(name, run_on) VALUES ('0001_x', now())`. */
  note: (name: string) => string
  /** Never changed once released. The SQL qualifies every name and runs in a transaction. */
  steps: readonly { name: string; sql: (schema: string) => string }[]
}

/**
 * Brings the tables in `schema` up to date and resolves with the names of the steps that ran. Reads before it writes.
 * Each step is one statement of `target`, so a pool does as well as a client; in an open transaction it is a part of
 * that. Rejects with the server's error, with step and schema in its message; nothing of that step remains.
 */
export async function runSteps(target: Client | string, schema: string, steps: Steps): Promise<string[]> {
  if (typeof target === 'string')
    return withPgClient({ url: target, name: `${steps.of} migrate` }, (client) => runSteps(client, schema, steps))
  const applied: string[] = []
  const done = await readDone(target, schema, steps)
  for (const step of steps.steps)
    if (!done.has(step.name) && (await applyWhenFree(target, schema, steps, step))) applied.push(step.name)
  return applied
}

type Step = Steps['steps'][number]

/** False when another process was faster. */
async function applyWhenFree(client: Client, schema: string, steps: Steps, step: Step): Promise<boolean> {
  const giveUpAt = performance.now() + GIVE_UP_AFTER_MS
  for (;;) {
    try {
      await client.query(
        `SET LOCAL lock_timeout = '${LOCK_TIMEOUT}';
         SELECT pg_advisory_xact_lock(${LOCK_KEY});
         ${sqlWithNote(step, schema, steps)}`,
        [],
      )
      return true
    } catch (error) {
      // In a caller's transaction this fails as well (25P02), and must not hide what failed before.
      const done = await readDone(client, schema, steps).catch(() => new Set<string>())
      if (done.has(step.name)) return false
      const { code, message } = error as Error & { code?: string }
      if (code !== LOCK_NOT_AVAILABLE || performance.now() > giveUpAt) {
        const where = `Migration ${step.name} of the ${steps.of} failed in schema ${quotedName(schema)}`
        throw Object.assign(new Error(`${where}: ${message}`, { cause: error }), { code })
      }
    }
    await sleep(RETRY_AFTER_MS)
  }
}

async function readDone(client: Client, schema: string, steps: Steps): Promise<Set<string>> {
  const table = `${quotedName(schema)}.${steps.table}`
  const [found] = rowsOf<{ there: boolean }>(await client.query('SELECT to_regclass($1) IS NOT NULL AS there', [table]))
  if (!found?.there) return new Set()
  const rows = rowsOf<{ name: string }>(await client.query(`SELECT name FROM ${table}`, []))
  return new Set(rows.map(({ name }) => name))
}

/** Libraries answer with the rows, or with an object that has them. */
function rowsOf<Row>(answer: unknown): Row[] {
  return Array.isArray(answer) ? (answer as Row[]) : (answer as { rows: Row[] }).rows
}

function sqlWithNote({ name, sql }: Step, schema: string, { table, columns, note }: Steps): string {
  const qualified = `${quotedName(schema)}.${table}`
  return `${sql(schema)}
CREATE TABLE IF NOT EXISTS ${qualified} (${columns});
INSERT INTO ${qualified} ${note(name)};
`
}

/**
 * The SQL of all steps from the number `from` on, with the notes. Throws a `RangeError` for a step that does not exist.
 */
export function sqlOfSteps(schema: string, steps: Steps, from = 1): string {
  const count = steps.steps.length
  if (!Number.isInteger(from) || from < 1 || from > count)
    throw new RangeError(`the ${steps.of} has the steps 1 to ${count}, and no step ${from}`)
  const due = steps.steps.slice(from - 1)
  return due.map((step) => `-- ${step.name}\n${sqlWithNote(step, schema, steps)}`).join('\n')
}
