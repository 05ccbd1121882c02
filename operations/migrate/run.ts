import { describeDatabase, migrateDatabase, migrationsDue } from '@product-events/database'
import { EXIT, type Program, readProgram, runCommand, type Terminal } from '@product-events/terminal'
import manifest from '../package.json' with { type: 'json' }
import { type MigrateConfig, type Service, services } from '../config.ts'
import { grantsOf } from './grants.ts'
import { setsOf } from './sets.ts'

const program = {
  name: 'migrate',
  version: manifest.version,
  summary:
    'Brings the databases of both services up to date. A migration waits two seconds for a lock, and tries again.',
  options: {
    service: { help: 'only the database of this service', value: 'name', oneOf: services },
    'dry-run': { help: 'list what is due, and change nothing' },
    grants: { help: 'print the SQL that gives the services their rights, and change nothing' },
  },
} as const satisfies Program

/** Resolves with the exit code: 0 when every database is up to date, or was listed. */
export function runMigrate(terminal: Terminal, readConfig: () => MigrateConfig): Promise<number> {
  return runCommand(program.name, terminal, async () => {
    const line = readProgram(program, terminal.args)
    if (line.kind === 'print') {
      terminal.stdout(line.text)
      return EXIT.done
    }
    const { service: only, grants, 'dry-run': dryRun } = line.options
    const chosen = services.filter((service) => only === undefined || service === only)
    if (grants) {
      for (const service of chosen) terminal.stdout(`-- In the database of ${service}:\n${grantsOf(service)}\n`)
      return EXIT.done
    }
    const config = readConfig()
    for (const service of chosen) await migrateOne(service, config, dryRun, terminal)
    return EXIT.done
  })
}

async function migrateOne(
  service: Service,
  { urls, credentials }: MigrateConfig,
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
