import { randomBytes } from 'node:crypto'
import { rename, writeFile } from 'node:fs/promises'
import pg from 'pg'

/** The password of the services' role, in the file that they read for each new connection. */
export interface Password {
  file: string
  /**
   * Sets another password in the database and ends every session of the role; the file has the old one until `write`.
   */
  rotate(): Promise<void>
  /** Makes database and file agree. */
  write(): Promise<void>
}

/** Makes the role, which may sign in with its password only (a pooler without one), and the file in `dir`. */
export async function demandPassword(
  postgresUrl: string,
  { role, dir, pooled }: { role: string; dir: string; pooled: boolean },
): Promise<Password> {
  const file = `${dir}/password`
  let current = newPassword()

  async function query(sql: string): Promise<pg.QueryResult<Record<string, string>>> {
    const client = new pg.Client({ connectionString: `${postgresUrl}/postgres`, connectionTimeoutMillis: 5_000 })
    client.on('error', () => {})
    await client.connect()
    try {
      return await client.query<Record<string, string>>(sql)
    } finally {
      await client.end()
    }
  }

  async function write(): Promise<void> {
    await query(`ALTER ROLE ${role} PASSWORD '${current}'`)
    // As a secrets volume does: a reader finds the old password or the new one, never half of one.
    await writeFile(`${file}.new`, current)
    await rename(`${file}.new`, file)
  }

  await query(`CREATE ROLE ${role} LOGIN`)
  const { rows } = await query('SHOW hba_file')
  const local = '127.0.0.1/32'
  await writeFile(
    rows[0]?.hba_file ?? '',
    `host all ${role} ${local} ${pooled ? 'trust' : 'scram-sha-256'}\nhost all all ${local} trust\n`,
  )
  await query('SELECT pg_reload_conf()')
  await write()
  return {
    file,
    async rotate() {
      current = newPassword()
      await query(`ALTER ROLE ${role} PASSWORD '${current}'`)
      await query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role}'`)
    },
    write,
  }
}

function newPassword(): string {
  return randomBytes(16).toString('hex')
}
