import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type pg from 'pg'

/** Plain `.sql` files, run once each in the order of their names, remembered in a table of their own. */
export interface Migrations {
  /** The folder with the files. */
  dir: string
  /** The table, in `public`, that remembers which have run: one for each folder, since each numbers its own files. */
  table: string
}

export interface Migration {
  /** The file's name without `.sql`. */
  name: string
  /** The table that remembers it. */
  table: string
  sql: string
}

/** The migrations that the database does not remember, in the order in which they must run. */
export async function pendingMigrations(client: pg.Client, sets: readonly Migrations[]): Promise<Migration[]> {
  const pending: Migration[] = []
  for (const { dir, table } of sets) {
    const done = await rememberedBy(client, table)
    for (const file of (await readdir(dir)).filter((file) => file.endsWith('.sql')).toSorted()) {
      const name = basename(file, '.sql')
      if (!done.has(name)) pending.push({ name, table, sql: await readFile(join(dir, file), 'utf8') })
    }
  }
  return pending
}

async function rememberedBy(client: pg.Client, table: string): Promise<Set<string>> {
  const found = await client.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [
    `public.${table}`,
  ])
  if (!found.rows[0]?.found) return new Set()
  const { rows } = await client.query<{ name: string }>(`SELECT name FROM public.${table}`)
  return new Set(rows.map(({ name }) => name))
}
