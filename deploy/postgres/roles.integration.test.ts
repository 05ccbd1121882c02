import { randomBytes } from 'node:crypto'
import { migrate } from '@product-events/database'
import { dropDatabase } from '@product-events/local'
import pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { consoleMigrations } from '../../operations/console/migrations.ts'
import { outboxMigrations } from '../../packages/outbox/migrations.ts'
import { productMigrations } from '../../services/product-service/migrations.ts'
import { createRoles, type DatabaseRoles } from './roles.ts'

/** Users are common to all databases of the server, so each run has its own. */
const suffix = randomBytes(4).toString('hex')
const admin = `admin_${suffix}`
const roles: DatabaseRoles = {
  database: `roles_${suffix}`,
  owner: `owner_${suffix}`,
  users: [`service_${suffix}`, `relay_${suffix}`],
}
const server = () => inject('postgresUrl')

function urlOf(user: string, database = roles.database): string {
  const url = new URL(server())
  url.username = user
  url.pathname = `/${database}`
  return url.href
}

async function query(user: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: urlOf(user) })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

async function asSuperuser(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server() })
  await client.connect()
  await client.query(sql)
  await client.end()
}

beforeAll(async () => {
  // As RDS has it: an administrator who is not a superuser.
  await asSuperuser(`CREATE ROLE ${admin} LOGIN CREATEROLE CREATEDB`)
  await createRoles(urlOf(admin, 'postgres'), [roles])
  await migrate(urlOf(roles.owner), outboxMigrations, productMigrations, consoleMigrations)
})
afterAll(async () => {
  await dropDatabase(urlOf(new URL(server()).username))
  for (const user of [roles.owner, ...roles.users, admin]) await asSuperuser(`DROP OWNED BY ${user}; DROP ROLE ${user}`)
})

test('the owner migrates', async () => {
  const [row] = await query(
    roles.owner,
    `SELECT count(*)::int AS tables FROM pg_tables WHERE tableowner = current_user`,
  )
  expect(row?.['tables']).toBeGreaterThan(4)
})

test('a user connects, and sees no table before it is granted', async () => {
  const [user = ''] = roles.users
  expect(await query(user, 'SELECT current_user::text AS me')).toEqual([{ me: user }])
  for (const sql of ['SELECT FROM public.products', 'CREATE TABLE public.mine ()', 'CREATE SCHEMA mine'])
    await expect(query(user, sql), sql).rejects.toMatchObject({ code: '42501' })
})

test('another user of the server does not get in', async () => {
  await asSuperuser(`CREATE ROLE stranger_${suffix} LOGIN`)
  await expect(query(`stranger_${suffix}`, 'SELECT 1')).rejects.toMatchObject({ code: '42501' })
  await asSuperuser(`DROP ROLE stranger_${suffix}`)
})

test('the administrator is no member of any user that signs in by IAM', async () => {
  const rows = await query(
    admin,
    `SELECT roleid::regrole::text AS role FROM pg_auth_members
     WHERE member = '${admin}'::regrole AND (inherit_option OR set_option)`,
  )
  expect(rows).toEqual([])
})

test('a second run changes nothing', async () => {
  const rights = `SELECT datacl::text FROM pg_database WHERE datname = '${roles.database}'`
  const before = await query(admin, rights)
  await createRoles(urlOf(admin, 'postgres'), [roles])
  expect(await query(admin, rights)).toEqual(before)
})
