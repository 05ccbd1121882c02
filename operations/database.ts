import type { QueryResult, QueryResultRow } from 'pg'

/** What looking needs of a `pg` pool or client: single statements that read. */
export interface Database {
  query<Row extends QueryResultRow>(text: string, values: unknown[]): Promise<QueryResult<Row>>
}

/** Rows whose times `to_json` selected: as they are, they would have the style that the database sets for sessions. */
export function withDates<Row>(rows: readonly Row[], ...columns: readonly (keyof Row)[]): Row[] {
  return rows.map((row) => ({ ...row, ...Object.fromEntries(columns.map((name) => [name, dateOf(row[name])])) }))
}

function dateOf(json: unknown): Date | null {
  return typeof json === 'string' ? new Date(json) : null
}
