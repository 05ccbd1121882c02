import { connectionConfig, type Credentials, describeDatabase } from '@product-events/database'
import { describeDatabaseOutage } from '@product-events/outages'
import { EXIT, harmlessJson, plural, readCommand, runCommand, type Terminal } from '@product-events/terminal'
import pg from 'pg'
import { outboxTables, type Tables } from '../database.ts'
import { prune } from '../prune.ts'
import { type NeverAccepts, neverAcceptedBySqs } from './fits.ts'
import { list, show } from './look.ts'
import { programFor } from './program.ts'
import { redrive } from './redrive.ts'
import { resend } from './resend.ts'
import { readStatus, statusText } from './status.ts'

export { type NeverAccepts, neverAcceptedBySqs } from './fits.ts'

/** A person waits. */
const CONNECT_TIMEOUT_MS = 5_000
/** Finding an event by its UUID reads the table: a minute is enough for tens of millions of events. */
const QUERY_TIMEOUT_MS = 60_000
/** SQLSTATE: there is no such table. */
const UNDEFINED_TABLE = '42P01'

/** What a command has to say: to machines, to people, and to the shell. */
export interface Answer {
  json: unknown
  text: string
  /** 0 unless it says so. */
  exitCode?: number
}

interface Database {
  url: string
  /** Default: the password of the URL, or PGPASSWORD. */
  credentials?: Credentials
}

export interface OutboxCommandOptions<Service extends string> {
  terminal: Terminal
  /** Whose outboxes there are; the first is the default of `--service`. */
  services: readonly [Service, ...Service[]]
  /** Where a service's database is. Called only when a command needs it; what it throws is shown. */
  database: (service: Service) => Database
  /** Why the broker of a service can never accept an event. SQS's limits if it is left out. */
  neverAccepts?: (service: Service) => NeverAccepts
}

/**
 * The operator's command: status, list, show, redrive, resend, prune (see `--help`). Resolves with the exit code: 0 done,
 * 1 not done, 2 not understood, 130 stopped. Never rejects because of what was typed or of what is unreachable.
 */
export function outboxCommand<Service extends string>(options: OutboxCommandOptions<Service>): Promise<number> {
  const { terminal, services } = options
  const program = programFor(services)
  return runCommand(program.name, terminal, async () => {
    const line = readCommand(program, terminal.args)
    if (line.kind === 'print') {
      terminal.stdout(line.text)
      return EXIT.done
    }
    const { service, json } = line.options
    const database = options.database(service)
    const { url } = database
    const neverAccepts = options.neverAccepts?.(service) ?? neverAcceptedBySqs
    const answer = await withDatabase(database, terminal, (db) =>
      run(outboxTables(db), line, terminal, { url, neverAccepts }),
    )
    terminal.progress.end()
    terminal.stdout(json ? `${harmlessJson(answer.json, 2)}\n` : answer.text)
    return answer.exitCode ?? EXIT.done
  })
}

type Typed = Extract<ReturnType<typeof readCommand<ReturnType<typeof programFor>>>, { kind: 'run' }>

async function run(
  tables: Tables,
  line: Typed,
  terminal: Terminal,
  { url, neverAccepts }: { url: string; neverAccepts: NeverAccepts },
): Promise<Answer> {
  if (line.command === 'list') return list(tables, line.options)
  if (line.command === 'show') return show(tables, line.words[0]!, line.options.whole)
  if (line.command === 'redrive') {
    const { all, 'dry-run': dryRun, rate, by } = line.options
    return redrive(tables, { words: line.words, all, dryRun, rate, by }, terminal, neverAccepts)
  }
  if (line.command === 'resend') {
    const { id, since, 'dry-run': dryRun, rate, by } = line.options
    const words = id === undefined ? line.words : [...line.words, id]
    return resend(tables, { words, since, dryRun, rate, by }, terminal)
  }
  if (line.command === 'status') {
    const status = await readStatus(tables)
    return { json: status, text: `${describeDatabase(url)}\n\n${statusText(status)}` }
  }
  const hours = line.options['older-than']
  const pruned = await prune(tables, hours, terminal.signal)
  return { json: { pruned }, text: `${plural(pruned, 'processed event')} older than ${hours} h deleted.\n` }
}

/** One connection without session settings, so that it may lead through a transaction-pooling proxy. */
async function withDatabase(
  { url, credentials }: Database,
  { progress }: Terminal,
  work: (db: pg.Client) => Promise<Answer>,
): Promise<Answer> {
  const db = new pg.Client({
    ...connectionConfig(url, credentials),
    application_name: 'outbox',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
  })
  db.on('error', () => {}) // the query under way rejects with the same error
  try {
    progress.now(`connecting to ${describeDatabase(url)}`)
    await db.connect()
    progress.now(`reading ${describeDatabase(url)}`)
    return await work(db)
  } catch (error) {
    throw explained(error as Error, url)
  } finally {
    await db.end()
  }
}

/** The same failure in words that name the database and the way out. */
function explained(error: Error, url: string): Error {
  if ((error as { code?: string }).code === UNDEFINED_TABLE)
    return new Error(`${describeDatabase(url)} has no outbox: start its service once, which makes the tables`)
  const outage = describeDatabaseOutage(error, describeDatabase(url))
  return outage === undefined ? error : new Error(outage, { cause: error })
}
