import pg from 'pg'

/** A database, the user who owns its tables and migrates it, and the users who work on it. */
export interface DatabaseRoles {
  database: string
  owner: string
  /** May connect. `npm run migrate -- --apply-grants` gives each the rights on the tables that its program needs. */
  users: readonly string[]
}

/** The databases and users of a deployment. `deploy/aws/names.ts` and `deploy/kubernetes` use these names. */
export const deploymentRoles: readonly DatabaseRoles[] = [
  {
    database: 'products',
    owner: 'products_owner',
    users: ['product_service', 'product_relay', 'console'],
  },
  {
    database: 'notifications',
    owner: 'notifications_owner',
    users: ['notification_service', 'console'],
  },
]

/**
 * Makes databases, users and the rights to connect on the server at `databaseUrl`, as its administrator: a user who may
 * create roles and databases. Repeating it changes nothing. Users have no password: on RDS they get `rds_iam`;
 * elsewhere set one each. Rejects with the server's error.
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

async function createUsersAndDatabase(client: pg.Client, { database, owner, users }: DatabaseRoles) {
  for (const user of [owner, ...users]) await createUser(client, user)
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

async function grantRights(client: pg.Client, { database, owner, users }: DatabaseRoles): Promise<void> {
  await client.query(`
    BEGIN;
    REVOKE ALL ON DATABASE ${database} FROM PUBLIC;
    GRANT CONNECT, CREATE ON DATABASE ${database} TO ${owner};
    GRANT CONNECT ON DATABASE ${database} TO ${users.join(', ')};
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    GRANT USAGE, CREATE ON SCHEMA public TO ${owner} WITH GRANT OPTION;
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
