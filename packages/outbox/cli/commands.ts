interface Option {
  /** Its value as the help shows it; without one it is a switch. */
  value?: string
  help: string
}

interface Command {
  usage: string
  summary: string
  more?: string
  options: Record<string, Option>
}

export type CommandName = 'status' | 'list' | 'show' | 'redrive' | 'prune'

/** Everything that can be typed. Arguments are checked against it, and the help is made of it. */
export const commands: Record<CommandName, Command> = {
  status: {
    usage: 'status',
    summary: 'how many events wait, failed or died; which relays are alive; who owns which lanes',
    options: {},
  },
  list: {
    usage: 'list',
    summary: 'events of one status, oldest first',
    options: {
      status: { value: 'status', help: 'dead (default), failed, pending or processed' },
      key: { value: 'key', help: 'only events of this key' },
      type: { value: 'type', help: 'only events of this type' },
      limit: { value: 'n', help: 'so many at most, 1 to 1000 (default 20)' },
      after: { value: 'id', help: 'the page after this id' },
    },
  },
  show: {
    usage: 'show <id>',
    summary: 'everything about one event, its content included',
    more: 'An id is the number that list shows, or the UUID that consumers know. A UUID is found by reading the table.',
    options: {},
  },
  redrive: {
    usage: 'redrive <id...> | --all',
    summary: 'dead events become pending again, with all their attempts before them',
    more: `A redriven event keeps its place before younger events of its key that have not been sent yet. Where younger
ones were sent already, the command says after how many it comes. Nothing is redriven if one of the ids is wrong.
Relays are not woken: they find the events at their next poll (every 2 seconds unless they were told otherwise).
Ctrl-C stops between two events; what was redriven by then stays so.`,
    options: {
      all: { help: 'every event that is dead now' },
      'dry-run': { help: 'say what would be done, and do nothing' },
      rate: { value: 'n', help: 'so many a second at most, 1 to 10000' },
      by: { value: 'who', help: "for the events' record (default: user@host)" },
    },
  },
  prune: {
    usage: 'prune',
    summary: 'delete processed events that are older than the retention',
    more: 'Relays do so by themselves every minute. Pending, failed and dead events stay however old they are.',
    options: {
      'older-than': { value: 'hours', help: '0 to 87600 (default 72)' },
    },
  },
}

const general = (services: readonly string[]): Record<string, Option> => ({
  ...(services.length > 1 && {
    service: { value: 'name', help: `whose outbox: ${services.join(', ')} (default ${services[0]})` },
  }),
  json: { help: 'for machines: one JSON document instead of tables' },
  help: { help: 'this text, or with a command more about it' },
})

/** Every option of every command, as `parseArgs` wants them. */
export function optionTypes(): Record<string, { type: 'string' | 'boolean' }> {
  const all = [{ service: { value: 'name', help: '' } }, general([]), ...Object.values(commands).map((c) => c.options)]
  return Object.fromEntries(
    all.flatMap((options) =>
      Object.entries<Option>(options).map(([name, { value }]) => [name, { type: value ? 'string' : 'boolean' }]),
    ),
  )
}

/** The help of one command, or of all. */
export function help(command: CommandName | undefined, services: readonly string[]): string {
  if (command === undefined) {
    const lines = Object.values(commands).map(({ usage, summary }) => `  ${usage.padEnd(26)} ${summary}`)
    return `outbox: what waits, what failed, and how to send it again

${lines.join('\n')}

Options of all:
${describe(general(services))}

Exit code: 0 done, 1 not done (stderr says why), 2 not understood, 130 stopped by Ctrl-C.
`
  }
  const { usage, summary, more, options } = commands[command]
  const text = more === undefined ? '' : `\n${more}\n`
  return `outbox ${usage}: ${summary}\n${text}\n${describe({ ...options, ...general(services) })}\n`
}

function describe(options: Record<string, Option>): string {
  return Object.entries(options)
    .map(([name, { value, help }]) => `  ${`--${name}${value ? ` <${value}>` : ''}`.padEnd(26)} ${help}`)
    .join('\n')
}
