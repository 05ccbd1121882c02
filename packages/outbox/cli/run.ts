import { describeDatabase } from '@product-events/database'
import pg from 'pg'
import { outboxTables, type Tables } from '../database.ts'
import { prune } from '../prune.ts'
import { RETENTION_HOURS } from '../relay.ts'
import { readArguments, type Typed, UsageError, wholeNumber } from './arguments.ts'
import { help } from './commands.ts'
import { list, show } from './look.ts'
import { redrive } from './redrive.ts'
import { readStatus, statusText } from './status.ts'
import { plural } from './table.ts'

/** A person waits. */
const CONNECT_TIMEOUT_MS = 5_000
/** Finding an event by its UUID reads the table: a minute is enough for tens of millions of events. */
const QUERY_TIMEOUT_MS = 60_000
/** SQLSTATE: there is no such table. */
const UNDEFINED_TABLE = '42P01'
const TEN_YEARS_IN_HOURS = 87_600

/** What a command has to say: to machines, to people, and to the shell. */
export interface Answer {
  json: unknown
  text: string
  /** 0 unless it says so. */
  exitCode?: number
}

export interface OutboxCommandOptions<Service extends string> {
  /** The words after the program's name. */
  args: string[]
  /** Whose outboxes there are; the first is the default of `--service`. */
  services: readonly Service[]
  /** The URL of a service's database. Called only when a command needs it; what it throws is shown. */
  databaseUrl: (service: Service) => string
  /** Stops a redrive between two events. */
  signal: AbortSignal
  stdout: (text: string) => void
  stderr: (text: string) => void
}

/**
 * The operator's command: status, list, show, redrive, prune (`--help` tells). Resolves with the exit code: 0 done,
 * 1 not done, 2 not understood, 130 stopped. Never rejects because of what was typed or of what is away.
 */
export async function outboxCommand<Service extends string>(options: OutboxCommandOptions<Service>): Promise<number> {
  const { args, services, stdout, stderr } = options
  try {
    const typed = readArguments(args)
    if ('help' in typed) {
      stdout(help(typed.help, services))
      return 0
    }
    const wanted = typed.flags.service ?? services[0]
    const service = services.find((service) => service === wanted)
    if (service === undefined) throw new UsageError(`--service must be one of ${services.join(', ')}, not "${wanted}"`)
    const url = options.databaseUrl(service)
    const answer = await withDatabase(url, (db) => run(outboxTables(db), typed, options, describeDatabase(url)))
    stdout(typed.flags.json === true ? `${JSON.stringify(answer.json, null, 2)}\n` : answer.text)
    return answer.exitCode ?? 0
  } catch (error) {
    stderr(`${describe(error as Error)}\n`)
    return error instanceof UsageError ? 2 : 1
  }
}

async function run(
  tables: Tables,
  typed: Typed,
  { signal, stderr }: Pick<OutboxCommandOptions<string>, 'signal' | 'stderr'>,
  database: string,
): Promise<Answer> {
  if (typed.command === 'list') return list(tables, typed)
  if (typed.command === 'show') return show(tables, typed)
  if (typed.command === 'redrive') return redrive(tables, typed, signal, stderr)
  if (typed.positionals.length > 0) throw new UsageError(`${typed.command} takes options only`)
  if (typed.command === 'status') {
    const status = await readStatus(tables)
    return { json: status, text: `${database}\n\n${statusText(status)}` }
  }
  const hours = wholeNumber(typed, 'older-than', { min: 0, max: TEN_YEARS_IN_HOURS }, RETENTION_HOURS)
  const pruned = await prune(tables, hours, signal)
  return { json: { pruned }, text: `${plural(pruned, 'processed event')} older than ${hours} h deleted.\n` }
}

/** One connection without session settings, so that it may lead through a transaction-pooling proxy. */
async function withDatabase(url: string, work: (db: pg.Client) => Promise<Answer>): Promise<Answer> {
  const db = new pg.Client({
    connectionString: url,
    application_name: 'outbox',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
  })
  db.on('error', () => {}) // the query under way rejects with the same error
  try {
    await db.connect()
    return await work(db)
  } finally {
    await db.end()
  }
}

function describe(error: Error & { code?: string; errors?: Error[] }): string {
  if (error instanceof UsageError) return `outbox: ${error.message}\nTry --help.`
  if (error.code === UNDEFINED_TABLE)
    return 'this database has no outbox: start its service once, which makes the tables'
  // A host with several addresses fails with one error for each.
  return error.message || (error.errors ?? []).map(({ message }) => message).join('; ') || String(error)
}
