import { withPgClient } from '@product-events/database/pg-client'
import { describeDatabase, describeDatabaseOutage } from '@product-events/outages'
import { EXIT, harmlessJson, plural, readCommand, runCommand, type Terminal } from '@product-events/terminal'
import type { ClientConfig } from 'pg'
import { type Database, outboxTables } from '../database.ts'
import { prune } from '../prune.ts'
import { type NeverAccepts, neverAcceptedBySqs } from './fits.ts'
import { list, show } from './look.ts'
import { program, programFor } from './program.ts'
import { redrive } from './redrive.ts'
import { resend } from './resend.ts'
import { readStatus, statusText } from './status.ts'

export { type NeverAccepts, neverAcceptedBySqs } from './fits.ts'

/** Finding an event by its UUID reads the table: a minute is enough for tens of millions of events. */
const QUERY_TIMEOUT_MS = 60_000
/** SQLSTATE: the table does not exist. */
const UNDEFINED_TABLE = '42P01'

/** The answer of a command: for machines, for people, and for the shell. */
export interface Answer {
  json: unknown
  text: string
  /** 0 unless it says so. */
  exitCode?: number
}

export interface OutboxCommandOptions<Service extends string> {
  terminal: Terminal
  /** Whose outboxes there are; the first is the default of `--service`. */
  services: readonly [Service, ...Service[]]
  /** Where a service's database is. Called only when a command needs it. Its error is shown. */
  database: (service: Service) => Pick<Place, 'url' | 'config'>
  /** Why the broker of a service can never accept an event. SQS's limits if it is left out. */
  neverAccepts?: (service: Service) => NeverAccepts
}

/**
 * The operator's command: status, list, show, redrive, resend, prune (see `--help`). Resolves with the exit code: 0
 * done, 1 not done, 2 not understood, 130 stopped. Never rejects because of wrong arguments or an unreachable database.
 */
export function outboxCommand<Service extends string>(options: OutboxCommandOptions<Service>): Promise<number> {
  const { terminal, services } = options
  return runCommand(program.name, terminal, async () => {
    const line = readCommand(programFor(services), terminal.args)
    if (line.kind === 'print') {
      terminal.stdout(line.text)
      return EXIT.done
    }
    const { service } = line.options
    const neverAccepts = options.neverAccepts?.(service) ?? neverAcceptedBySqs
    return operate(line, { ...options.database(service), neverAccepts }, terminal)
  })
}

/** One of the commands of `program`, as it was typed. */
export type Typed = Extract<ReturnType<typeof readCommand<typeof program>>, { kind: 'run' }>

/** The outbox that a command is about. */
export interface Place {
  url: string
  /** How to connect, where the URL alone does not say it. */
  config?: ClientConfig
  schema?: string
  neverAccepts: NeverAccepts
}

/** Runs a command on the outbox, prints its answer, and resolves with the exit code. */
export async function operate(line: Typed, place: Place, terminal: Terminal): Promise<number> {
  const answer = await withDatabase(place, terminal, (db) => run(db, line, terminal, place))
  terminal.progress.end()
  terminal.stdout(line.options.json ? `${harmlessJson(answer.json, 2)}\n` : answer.text)
  return answer.exitCode ?? EXIT.done
}

async function run(
  db: Database,
  line: Typed,
  terminal: Terminal,
  { url, schema, neverAccepts }: Place,
): Promise<Answer> {
  const tables = outboxTables(db, schema)
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

/** Failures name the database and the way out. */
export async function withDatabase<Result>(
  { url, config, schema = 'public' }: Pick<Place, 'url' | 'config' | 'schema'>,
  { progress }: Pick<Terminal, 'progress'>,
  work: (db: Database) => Promise<Result>,
): Promise<Result> {
  progress.now(`connecting to ${describeDatabase(url)}`)
  return withPgClient({ url, config, name: 'outbox', queryTimeoutMs: QUERY_TIMEOUT_MS }, (db) => {
    progress.now(`reading ${describeDatabase(url)}`)
    return work(db)
  }).catch((error: unknown) => {
    throw explained(error as Error, url, schema)
  })
}

/** The same failure in words that name the database and the way out. */
function explained(error: Error, url: string, schema: string): Error {
  if ((error as { code?: string }).code === UNDEFINED_TABLE) {
    const where = `${describeDatabase(url)} has no outbox in the schema ${schema}`
    return new Error(`${where} (${error.message}). Run the migrations.`, { cause: error })
  }
  const outage = describeDatabaseOutage(error, describeDatabase(url))
  return outage === undefined ? error : new Error(outage, { cause: error })
}
