import type { Options, Program } from '@product-events/terminal'

/** Enough for a look; an operator with more messages redrives or purges rather than reads. */
const LIST_LIMIT = 100
/** Fast enough for thousands, slow enough for a consumer that has its usual traffic besides. */
const RATE = 50

const json = { help: 'print JSON, for machines' } as const
const fresh = { help: 'look again, although the last look is less than a minute old' } as const
const id = { name: 'id', min: 1, max: 1 } as const

interface ProgramOptions {
  name: string
  version: string
  places?: Options
  more?: string
}

/** The command's words; `name` is how users call it, `places` are options that say which inbox it is. */
export function programOf({ name, version, places = {}, more }: ProgramOptions) {
  return {
    name,
    version,
    summary: 'messages that a consumer could not handle, and its dead-letter queue.',
    usage: '<command>',
    more:
      'A look at the dead-letter queue hides its messages for a moment and raises their receive counts. So a look is kept\n' +
      'for a minute, and FAILURES counts what the consumer noted, not receives. On a FIFO queue only the first messages of\n' +
      `each key can be seen; the others follow when these are gone.${more ? `\n\n${more}` : ''}`,
    options: { ...places, json },
    commands: {
      status: { summary: 'how many messages are where, and how many fail at present', options: {} },
      list: {
        summary: 'dead and failing messages: why, how often, how old; oldest first',
        options: {
          limit: { value: 'n', whole: [1, 10_000], default: LIST_LIMIT, help: 'messages of the dead-letter queue' },
          fresh,
        },
      },
      show: { summary: 'one message whole; <id> of the message or of its event', words: id, options: { fresh } },
      redrive: {
        summary: 'send messages to the queue again, by sequence for each key',
        more: 'Each is deleted only once the queue has it: an interruption makes duplicates at worst.',
        usage: '<id>... | --all',
        words: { name: 'id', min: 0, max: 10_000 },
        options: {
          all: { help: 'all messages of the dead-letter queue' },
          'dry-run': { help: 'print what would be sent, and send nothing' },
          rate: { value: 'n', whole: [1, 100_000], default: RATE, help: 'messages a second' },
        },
      },
      purge: {
        summary: 'delete all messages of the dead-letter queue, after a question',
        options: { yes: { help: 'do not ask' } },
      },
    },
  } as const satisfies Program
}
