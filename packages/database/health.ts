import type pg from 'pg'

/** The privileges that a service needs, by table with its schema: `{ 'public.products': ['SELECT', 'INSERT'] }`. */
export type Privileges = Record<string, readonly ('SELECT' | 'INSERT' | 'UPDATE' | 'DELETE')[]>

/** Said of a standby, and of a primary that its operator made read-only. */
export const READ_ONLY = 'takes no writes'

/**
 * Why the database can't do its job although it answers: it is read-only, or a privilege is missing. Undefined when it
 * can. Rejects with the server's error, 42P01 for a table that does not exist.
 */
export async function databaseFault(db: pg.Pool, privileges: Privileges): Promise<string | undefined> {
  const needs = Object.entries(privileges).flatMap(([table, names]) => names.map((name) => [table, name] as const))
  const { rows } = await db.query<{ readOnly: boolean; denied: string[] }>(
    `SELECT current_setting('transaction_read_only') = 'on' AS "readOnly",
            ARRAY(SELECT privilege || ' on ' || relation
                  FROM unnest($1::text[], $2::text[]) AS need (relation, privilege)
                  WHERE NOT has_table_privilege(relation, privilege)) AS denied`,
    [needs.map(([table]) => table), needs.map(([, name]) => name)],
  )
  const [{ readOnly, denied } = { readOnly: false, denied: [] }] = rows
  if (readOnly) return READ_ONLY
  return denied.length > 0 ? `permission denied: ${denied.join(', ')}` : undefined
}
