import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type pg from 'pg'

/** Steps of a schema, run once each in their order, remembered in a table of their own. */
export type Migrations = {
  /** The table, in `public`, that remembers which have run: one for each set, since each numbers its own steps. */
  table: string
} & (
  | {
      /** A folder with plain `.sql` files, which run in the order of their names. */
      dir: string
    }
  | { migrations: readonly Step[] }
)

interface Step {
  /** The file's name without `.sql`. */
  name: string
  sql: string
}

export interface Migration extends Step {
  /** The table that remembers it. */
  table: string
}

/** The migrations that the database does not remember, in the order in which they must run. */
export async function pendingMigrations(client: pg.Client, sets: readonly Migrations[]): Promise<Migration[]> {
  const pending: Migration[] = []
  for (const set of sets) {
    const { table } = set
    const done = await rememberedBy(client, table)
    const steps = 'dir' in set ? await readFiles(set.dir) : set.migrations
    pending.push(...steps.filter(({ name }) => !done.has(name)).map((step) => ({ ...step, table })))
  }
  return pending
}

async function readFiles(dir: string): Promise<Step[]> {
  const files = (await readdir(dir)).filter((file) => file.endsWith('.sql')).toSorted()
  return Promise.all(
    files.map(async (file) => ({ name: basename(file, '.sql'), sql: await readFile(join(dir, file), 'utf8') })),
  )
}

async function rememberedBy(client: pg.Client, table: string): Promise<Set<string>> {
  const found = await client.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [
    `public.${table}`,
  ])
  if (!found.rows[0]?.found) return new Set()
  const { rows } = await client.query<{ name: string }>(`SELECT name FROM public.${table}`)
  return new Set(rows.map(({ name }) => name))
}
