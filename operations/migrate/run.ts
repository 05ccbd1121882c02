import { connect, describeDatabase, disconnect, migrateDatabase, migrationsDue } from '@product-events/database'
import { EXIT, type Program, readProgram, runCommand, type Terminal, UsageError } from '@product-events/terminal'
import manifest from '../package.json' with { type: 'json' }
import { type DatabasesConfig, type Service, services } from '../config.ts'
import { grants, grantsOf } from './grants.ts'
import { setsOf } from './sets.ts'

const program = {
  name: 'migrate',
  version: manifest.version,
  summary:
    'Brings the databases of both services up to date. A migration waits two seconds for a lock, and tries again.',
  options: {
    service: { help: 'only the database of this service', value: 'name', oneOf: services },
    'dry-run': { help: 'list what is due, and change nothing' },
    grants: {
      help: 'print the SQL that gives the roles of services, relay and console their rights, and change nothing',
    },
    'apply-grants': { help: 'after the migrations, run the SQL that --grants prints; the roles must exist' },
  },
} as const satisfies Program

/** Resolves with the exit code: 0 when every database is up to date, or was listed. */
export function runMigrate(terminal: Terminal, readConfig: () => DatabasesConfig): Promise<number> {
  return runCommand(program.name, terminal, async () => {
    const line = readProgram(program, terminal.args)
    if (line.kind === 'print') {
      terminal.stdout(line.text)
      return EXIT.done
    }
    const { service: only, grants: print, 'dry-run': dryRun, 'apply-grants': applyGrants } = line.options
    if (dryRun && applyGrants) throw new UsageError('--dry-run changes nothing, so it excludes --apply-grants')
    const chosen = services.filter((service) => only === undefined || service === only)
    if (print) {
      for (const service of chosen) terminal.stdout(`-- In the database of ${service}:\n${grantsOf(service)}\n`)
      return EXIT.done
    }
    const config = readConfig()
    for (const service of chosen) {
      await migrateOne(service, config, dryRun, terminal)
      if (applyGrants) await applyGrantsOf(service, config, terminal)
    }
    return EXIT.done
  })
}

async function migrateOne(
  service: Service,
  { urls, credentials }: DatabasesConfig,
  dryRun: boolean,
  { stdout, stderr, signal }: Terminal,
): Promise<void> {
  const databaseUrl = urls[service]
  const options = {
    databaseUrl,
    credentials,
    signal,
    ...setsOf(service),
    onWaiting: (what: string, reason: string) => stderr(`${service}: waiting for ${what}: ${reason}\n`),
  }
  const where = `${service}, ${describeDatabase(databaseUrl)}`
  if (dryRun) {
    const due = await migrationsDue(options)
    stdout(`${where}: ${due.length === 0 ? 'nothing is due' : `due: ${due.map(({ name }) => name).join(', ')}`}\n`)
    return
  }
  const applied = await migrateDatabase(options)
  stdout(`${where}: ${applied.length === 0 ? 'nothing was due' : `applied: ${applied.join(', ')}`}\n`)
}

async function applyGrantsOf(service: Service, { urls, credentials }: DatabasesConfig, { stdout }: Terminal) {
  const databaseUrl = urls[service]
  const pool = connect({
    databaseUrl,
    credentials,
    applicationName: program.name,
    maxConnections: 1,
    onIdleError: () => {},
  })
  try {
    // Several statements in one query are one transaction.
    await pool.query(grantsOf(service))
  } finally {
    await disconnect(pool)
  }
  stdout(`${service}, ${describeDatabase(databaseUrl)}: granted to ${Object.keys(grants[service]).join(', ')}\n`)
}
