import type pg from 'pg'

/**
 * The oldest that the tests have run on. Statements that an older server does not know would fail one by one, later.
 */
const OLDEST = 14

/** Rejects, in words for the operator, when the server is older than PostgreSQL 14. */
export async function demandVersion(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ number: number; name: string }>(
    `SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS name`,
  )
  for (const { number, name } of rows) {
    const fault = versionFault(number, name)
    if (fault !== undefined) throw new Error(fault)
  }
}

/** Why a server of that version (`number` as 140023) can't be used, if so. */
export function versionFault(number: number, name: string): string | undefined {
  return number < OLDEST * 10_000 ? `PostgreSQL ${OLDEST} or later is needed, and this is ${name}` : undefined
}
