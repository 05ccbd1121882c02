import type { QueryResult, QueryResultRow } from 'pg'

/** What looking needs of a `pg` pool or client: single statements that read. */
export interface Database {
  query<Row extends QueryResultRow>(text: string, values: unknown[]): Promise<QueryResult<Row>>
}
