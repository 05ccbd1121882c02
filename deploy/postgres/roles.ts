import pg from 'pg'

/** A database, the user who owns its tables and migrates it, and the users who work on it. */
export interface DatabaseRoles {
  database: string
  owner: string
  /** May read and change every row, and no table. */
  workers: readonly string[]
  /** May read every row and change events: what an operator needs in order to redrive them. */
  operators: readonly string[]
}

/** The databases and users of a deployment. `deploy/aws/names.ts` and `deploy/kubernetes` use these names. */
export const deploymentRoles: readonly DatabaseRoles[] = [
  {
    database: 'products',
    owner: 'products_owner',
    workers: ['product_service', 'product_relay'],
    operators: ['console'],
  },
  {
    database: 'notifications',
    owner: 'notifications_owner',
    workers: ['notification_service'],
    operators: ['console'],
  },
]

/**
 * Makes databases, users and rights on the server at `databaseUrl`, as its administrator: a user who may create roles and
 * databases. Repeating it changes nothing. Users have no password: on RDS they get `rds_iam`; elsewhere set one each.
 * Rejects with the server's error.
 */
export async function createRoles(databaseUrl: string, all: readonly DatabaseRoles[]): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    for (const roles of all) await createUsersAndDatabase(client, roles)
  })
  for (const roles of all) {
    const url = new URL(databaseUrl)
    url.pathname = `/${roles.database}`
    await withClient(url.href, (client) => grantRights(client, roles))
  }
}

async function createUsersAndDatabase(client: pg.Client, { database, owner, workers, operators }: DatabaseRoles) {
  for (const user of [owner, ...workers, ...operators]) await createUser(client, user)
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [database])
  // CREATE DATABASE knows no IF NOT EXISTS, and no transaction.
  if (rowCount === 0) await client.query(`CREATE DATABASE ${database}`)
}

async function createUser(client: pg.Client, user: string): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [user])
  if (rowCount === 0) await client.query(`CREATE ROLE ${user} LOGIN`)
  const rds = await client.query(`SELECT FROM pg_roles WHERE rolname = 'rds_iam'`)
  if (rds.rowCount !== 0) await client.query(`GRANT rds_iam TO ${user}`)
}

/**
 * In one transaction. The administrator is a member of the owner only within it: RDS takes a member of `rds_iam`, even an
 * indirect one, for somebody who signs in by IAM, and would refuse the administrator's password from then on.
 */
async function grantRights(client: pg.Client, { database, owner, workers, operators }: DatabaseRoles): Promise<void> {
  const everyone = [...workers, ...operators].join(', ')
  await client.query(`
    BEGIN;
    GRANT ${owner} TO CURRENT_USER;
    REVOKE ALL ON DATABASE ${database} FROM PUBLIC;
    GRANT CONNECT, CREATE ON DATABASE ${database} TO ${owner};
    GRANT CONNECT ON DATABASE ${database} TO ${everyone};
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    GRANT USAGE, CREATE ON SCHEMA public TO ${owner};
    GRANT USAGE ON SCHEMA public TO ${everyone};
    SET LOCAL ROLE ${owner};
    ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${workers.join(', ')};
    ALTER DEFAULT PRIVILEGES GRANT USAGE, SELECT ON SEQUENCES TO ${everyone};
    ALTER DEFAULT PRIVILEGES GRANT SELECT, UPDATE ON TABLES TO ${operators.join(', ')};
    RESET ROLE;
    REVOKE ${owner} FROM CURRENT_USER;
    COMMIT`)
}

async function withClient(connectionString: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString, application_name: 'roles' })
  client.on('error', () => {}) // the query in flight rejects with the same error
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
