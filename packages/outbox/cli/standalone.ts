import {
  EXIT,
  harmlessJson,
  readCommand,
  runCommand,
  type Program,
  type Terminal,
  UsageError,
} from '@product-events/terminal'
import { migrations } from '../migrations.ts'
import { createOutbox } from '../outbox.ts'
import { neverAcceptedBySqs } from './fits.ts'
import { operate, withDatabase } from './index.ts'
import { program } from './program.ts'

const SCHEMA = 'outbox'

/** The command of a project that uses the package: that of an operator, and the tables. */
const standalone = {
  ...program,
  more: 'DATABASE_URL names the database; sql needs none. The package pg must be installed, except for sql.',
  options: { schema: { value: 'name', default: SCHEMA, help: 'the schema of the outbox' }, ...program.options },
  commands: {
    ...program.commands,
    migrate: {
      summary: 'create or update the tables; changes nothing when nothing is due',
      options: {},
    },
    sql: {
      summary: 'print the SQL of migrate, for a migration tool of your own',
      more: `The SQL needs no search_path. It notes the steps in outbox_migrations, so migrate knows that they ran.`,
      options: {
        from: { value: 'n', whole: [1, migrations.length], default: 1, help: 'from this step on' },
        grants: {
          value: 'writer,relay',
          help: 'and the rights of two roles: one that appends, one that relays. One name is for both',
        },
      },
    },
  },
} as const satisfies Program

/** Resolves with the exit code, as `outboxCommand` does. `databaseUrl` is called when a command needs it. */
export function standaloneCommand(terminal: Terminal, databaseUrl: () => string): Promise<number> {
  return runCommand(standalone.name, terminal, async () => {
    const line = readCommand(standalone, terminal.args)
    if (line.kind === 'print') {
      terminal.stdout(line.text)
      return EXIT.done
    }
    const { schema, json } = line.options
    if (line.command === 'sql') {
      const sql = createOutbox({ schema }).sql({ from: line.options.from, ...rolesOf(line.options.grants) })
      terminal.stdout(json ? `${harmlessJson({ sql }, 2)}\n` : sql)
      return EXIT.done
    }
    const url = databaseUrl()
    if (line.command !== 'migrate') return operate(line, { url, schema, neverAccepts: neverAcceptedBySqs }, terminal)
    const applied = await withDatabase({ url, schema }, terminal, (db) => createOutbox({ schema }).migrate(db))
    terminal.progress.end()
    const text = applied.length === 0 ? 'Nothing is due.\n' : applied.map((name) => `${name} is done.\n`).join('')
    terminal.stdout(json ? `${harmlessJson({ applied }, 2)}\n` : text)
    return EXIT.done
  })
}

function rolesOf(grants: string | undefined): { writer?: string; relay?: string } {
  if (grants === undefined) return {}
  const [writer = '', relay = writer, ...more] = grants.split(',').map((role) => role.trim())
  if (writer === '' || relay === '' || more.length > 0)
    throw new UsageError('--grants must be the names of two roles, such as writer,relay')
  return { writer, relay }
}
