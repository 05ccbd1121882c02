import { quotedName } from '@product-events/database/names'

/** The result of a statement, as in `pg`. */
export interface Rows<Row> {
  rows: Row[]
}

/**
 * Single statements, each its own transaction: a `pg` pool, or anything with its `query`. The outbox keeps no session
 * state.
 */
export interface Database {
  query<Row extends { [column: string]: any }>(text: string, values: unknown[]): Promise<Rows<Row>>
}

/** The tables of one outbox: a database, and the quoted name of the schema that they are in. */
export interface Tables {
  db: Database
  schema: string
}

export function outboxTables(db: Database, schema = 'public'): Tables {
  return { db, schema: quotedName(schema) }
}
