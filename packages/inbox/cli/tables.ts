import { EXIT, harmlessJson, type Program, readCommand, runCommand, type Terminal } from '@product-events/terminal'
import { createInbox } from '../inbox.ts'

export const schemaOption = { value: 'name', default: 'inbox', help: 'the schema of the inbox' } as const

const program = {
  name: 'inbox',
  version: '1.0.0',
  summary: 'the tables of an inbox',
  options: { schema: schemaOption, json: { help: 'print JSON, for machines' } },
  commands: {
    migrate: { summary: 'create or update the tables; changes nothing when nothing is due', options: {} },
    sql: {
      summary: 'print the SQL of migrate, for a migration tool of your own',
      more: 'The SQL needs no search_path. It notes the steps in inbox_migrations, so migrate knows that they ran.',
      options: { role: { value: 'name', help: 'and the rights of this role, which runs a consumer' } },
    },
  },
} as const satisfies Program

/** True for the commands that need no queue. */
export const isAboutTables = ([command = '']: readonly string[]): boolean => Object.hasOwn(program.commands, command)

/** Resolves with the exit code, and never rejects. `databaseUrl` is called when a command needs it. */
export function tablesCommand(terminal: Terminal, databaseUrl: () => string): Promise<number> {
  return runCommand(program.name, terminal, async () => {
    const line = readCommand(program, terminal.args)
    if (line.kind === 'print') {
      terminal.stdout(line.text)
      return EXIT.done
    }
    const inbox = createInbox({ schema: line.options.schema, consumer: 'any' })
    const print = (text: string, json: unknown) =>
      terminal.stdout(line.options.json ? `${harmlessJson(json, 2)}\n` : text)
    if (line.command === 'sql') {
      const sql = inbox.sql(line.options.role)
      print(sql, { sql })
      return EXIT.done
    }
    const applied = await inbox.migrate(databaseUrl())
    const text = applied.length === 0 ? 'Nothing is due.\n' : applied.map((name) => `${name} is done.\n`).join('')
    print(text, { applied })
    return EXIT.done
  })
}
