import type { QueryResult, QueryResultRow } from 'pg'

/** What the relay needs of a `pg` pool: single statements, each its own transaction. It keeps no session state. */
export interface Database {
  query<Row extends QueryResultRow>(text: string, values: unknown[]): Promise<QueryResult<Row>>
}
