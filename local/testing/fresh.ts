import { randomBytes } from 'node:crypto'
import { type Migrations, migrate } from '@product-events/database'
import pg from 'pg'
import { connectSqs, findOrCreateQueue, type Queue } from '@product-events/queue'
import type { SQSClient } from '@aws-sdk/client-sqs'

/** The credentials that the emulator takes (any will do), for the SDK's standard chain. */
export const localCredentials = { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local', AWS_REGION: 'us-east-1' }

/** SQLSTATE: a database of that name exists. */
const DUPLICATE_DATABASE = '42P04'

/** Databases with migrations, by server and migrations, as the clause that copies one: made once in a process. */
const templates = new Map<string, Promise<string>>()

/**
 * A database of its own for one test file, with the migrations of `sets`: the copy of a template, which costs less than
 * a tenth of the migrations. `serverUrl` is what `inject('postgresUrl')` gives.
 */
export async function freshDatabase(serverUrl: string, ...sets: Migrations[]): Promise<string> {
  const key = [serverUrl, ...sets.map((set) => ('dir' in set ? set.dir : set.table))].join()
  const template = templates.get(key) ?? makeTemplate(serverUrl, sets)
  templates.set(key, template)
  const name = uniqueName('test')
  await admin(serverUrl, `CREATE DATABASE ${name} TEMPLATE ${await template}`)
  return databaseUrl(serverUrl, name)
}

/** Makes an empty database of that name unless there is one. Returns its URL. */
export async function createDatabase(serverUrl: string, name: string): Promise<string> {
  await admin(serverUrl, `CREATE DATABASE ${name}`).catch((error: pg.DatabaseError) => {
    if (error.code !== DUPLICATE_DATABASE) throw error
  })
  return databaseUrl(serverUrl, name)
}

export async function dropDatabase(url: string): Promise<void> {
  const server = new URL(url)
  const name = server.pathname.slice(1)
  await admin(databaseUrl(url, 'postgres'), `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
}

/** A queue of its own for one test file, with its dead-letter queue, and a client for both. */
export async function freshQueue(
  endpoint: string,
  options: { fifo?: boolean } = {},
): Promise<{ sqs: SQSClient; queue: Queue }> {
  Object.assign(process.env, localCredentials)
  const sqs = connectSqs({ endpoint, region: 'us-east-1', requestTimeoutMs: 30_000, maxConnections: 50 })
  const queue = await findOrCreateQueue(sqs, uniqueName('queue') + (options.fifo ? '.fifo' : ''))
  return { sqs, queue }
}

async function makeTemplate(serverUrl: string, sets: Migrations[]): Promise<string> {
  const name = uniqueName('template')
  await admin(serverUrl, `CREATE DATABASE ${name}`)
  await migrate(databaseUrl(serverUrl, name), ...sets)
  // Copying files costs the server a third of its standard strategy, which logs each page. PostgreSQL 14 has no other.
  const { rows } = await admin<{ version: number }>(
    serverUrl,
    `SELECT current_setting('server_version_num')::int AS version`,
  )
  return rows[0]!.version < 150_000 ? name : `${name} STRATEGY FILE_COPY`
}

function admin<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<pg.QueryResult<Row>> {
  const server = databaseUrl(url, 'postgres')
  const pool = admins.get(server) ?? openAdmin(server)
  admins.set(server, pool)
  return pool.query<Row>(sql)
}

/** By server. Connections are kept: a new one costs as much as a new database. */
const admins = new Map<string, pg.Pool>()

function openAdmin(connectionString: string): pg.Pool {
  const pool = new pg.Pool({ connectionString, max: 2, allowExitOnIdle: true })
  // The server was stopped, while a connection was idle or while it was handed over.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

function uniqueName(prefix: string): string {
  return `${prefix}_${randomBytes(6).toString('hex')}`
}
