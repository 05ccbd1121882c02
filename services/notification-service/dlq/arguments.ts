import { parseArgs } from 'node:util'
import { StartError } from '@product-events/process'

export const help = `npm run dlq -- <command>: the dead-letter queue of notification-service.

  status                        how many messages are where
  list [--limit <n>]            what is there, why, and how old; oldest first (limit: 100)
  show <id>                     one message whole; <id> is that of the message or of its event
  redrive <id>… | --all         send messages to the queue again, by sequence for each product; each is deleted
                                only once the queue has it, so an interruption makes duplicates at worst
    --dry-run                   tell what would be sent, and send nothing
    --rate <n>                  messages a second (default: 50)
  purge [--yes]                 delete everything, after a question

  --json                        for machines
  --help

It takes the variables of the service: SQS_QUEUE_NAME or SQS_QUEUE_URL, AWS_REGION, AWS_ENDPOINT_URL_SQS, and DATABASE_URL,
where the service notes why a message failed. Looking hides messages for a moment and gives them back. On a FIFO
queue only the first messages of each product can be seen; the others follow when these are gone.
`

/** Enough for a look; whoever has more wants to redrive or purge, not to read. */
const LIST_LIMIT = 100
/** Fast enough for thousands, slow enough for a consumer that has its usual traffic besides. */
const RATE = 50

export type Command = { json: boolean } & (
  | { kind: 'help' }
  | { kind: 'status' }
  | { kind: 'list'; limit: number }
  | { kind: 'show'; id: string }
  | { kind: 'redrive'; which: 'all' | ReadonlySet<string>; dryRun: boolean; rate: number }
  | { kind: 'purge'; yes: boolean }
)

/** Throws a `StartError` that says what was expected. */
export function readArguments(args: string[]): Command {
  const { values, positionals } = parse(args)
  const [name, ...ids] = positionals
  const { json = false } = values
  if (values.help || name === undefined || name === 'help') return { kind: 'help', json }
  switch (name) {
    case 'status':
      return { kind: name, json }
    case 'list':
      return { kind: name, json, limit: positive('--limit', values.limit, LIST_LIMIT) }
    case 'show': {
      const [id, ...others] = ids
      if (id === undefined || others.length > 0) throw new StartError('show needs one id, of a message or an event')
      return { kind: name, json, id }
    }
    case 'redrive':
      if (ids.length > 0 === (values.all ?? false)) throw new StartError('redrive needs ids or --all, one of both')
      return {
        kind: name,
        json,
        which: values.all ? 'all' : new Set(ids),
        dryRun: values['dry-run'] ?? false,
        rate: positive('--rate', values.rate, RATE),
      }
    case 'purge':
      return { kind: name, json, yes: values.yes ?? false }
    default:
      throw new StartError(
        `there is no command ${name}: use status, list, show, redrive or purge; --help explains them`,
      )
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        json: { type: 'boolean' },
        all: { type: 'boolean' },
        'dry-run': { type: 'boolean' },
        yes: { type: 'boolean' },
        limit: { type: 'string' },
        rate: { type: 'string' },
      },
    })
  } catch (error) {
    throw new StartError((error as Error).message)
  }
}

function positive(option: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback
  if (!/^[1-9][0-9]{0,5}$/.test(text)) throw new StartError(`${option} must be a whole number from 1 on, not ${text}`)
  return Number(text)
}
