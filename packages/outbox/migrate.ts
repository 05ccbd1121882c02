import { quotedName } from '@product-events/database/names'
import { runSteps, sqlOfSteps, type Steps } from '@product-events/database/steps'
import type { Database } from './database.ts'
import { migrations, MIGRATIONS_TABLE } from './migrations.ts'

const steps: Steps = {
  of: 'outbox',
  table: MIGRATIONS_TABLE,
  columns: 'id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL',
  note: (name) => `(name, run_on) VALUES ('${name}', now())`,
  steps: migrations,
}

/** Brings the tables in `schema` up to date, see `Outbox.migrate`. */
export function migrate(target: Database | string, schema: string): Promise<string[]> {
  return runSteps(target, schema, steps)
}

export interface SqlOptions {
  /** The number of the first step. Default: 1, all of them. */
  from?: number
  /** This role gets the rights to append, and no others. */
  writer?: string
  /** This role gets the rights to relay, and no others. */
  relay?: string
}

/**
 * The SQL of `migrate` with the notes that it reads, and grants. Throws a `RangeError` for a `from` that is no step.
 */
export function sqlOf(schema: string, { from, writer, relay }: SqlOptions): string {
  const name = quotedName(schema)
  const roles = [...new Set([writer, relay])].filter((role) => role !== undefined)
  const grants = roles.flatMap((role) => [
    `GRANT USAGE ON SCHEMA ${name} TO ${quotedName(role)};`,
    `GRANT SELECT ON ${name}.${MIGRATIONS_TABLE} TO ${quotedName(role)};`,
  ])
  if (writer !== undefined) grants.push(`GRANT INSERT ON ${name}.events TO ${quotedName(writer)};`)
  if (relay !== undefined)
    grants.push(
      `GRANT SELECT, UPDATE, DELETE ON ${name}.events TO ${quotedName(relay)};`,
      `GRANT SELECT, INSERT, UPDATE, DELETE ON ${name}.outbox_relays TO ${quotedName(relay)};`,
      `GRANT SELECT, UPDATE ON ${name}.outbox_lanes TO ${quotedName(relay)};`,
    )
  return (
    sqlOfSteps(schema, steps, from) + grants.map((grant) => `\n${grant}`).join('') + (grants.length > 0 ? '\n' : '')
  )
}
