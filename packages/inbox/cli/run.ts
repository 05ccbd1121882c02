import {
  EXIT,
  harmless,
  harmlessJson,
  type Options,
  plural,
  readCommand,
  runCommand,
  type Terminal,
  UsageError,
} from '@product-events/terminal'
import type { FailedMessage } from '../failed-messages.ts'
import { type DeadLetter, isNamed } from './dead-letter.ts'
import { forgetLook, type Look, look } from './look.ts'
import { depthTable, failingTable, letterTable, sheet } from './print.ts'
import { programOf } from './program.ts'
import { type Depth, depthOf, purge, type Queues } from './queues.ts'
import { redrive } from './redrive.ts'

export { findFailures, recentFailures } from '../failed-messages.ts'
export { type Depth, depthOf, findQueues, type Queues } from './queues.ts'

/** The resources of a command beside the terminal, opened only when a command runs. */
export interface InboxPlaces {
  queues: Queues
  /** Why messages failed, by message id. */
  findFailures: (messageIds: string[]) => Promise<Map<string, FailedMessage>>
  /** Messages that failed within so many seconds, newest first. */
  recentFailures: (seconds: number, limit: number) => Promise<FailedMessage[]>
  close: () => Promise<void>
}

export interface InboxCommandOptions {
  /** The name that users type to run it. */
  name: string
  version: string
  /** A paragraph of the help about further abilities of the program. */
  more?: string
  /** Options that say which inbox it is. */
  places?: Options
  /** Gets the values of the options `places`. */
  open: (typed: Readonly<Record<string, unknown>>) => Promise<InboxPlaces>
  /** Asks a person; resolves with false without one. */
  confirm: (question: string) => Promise<boolean>
  /** How long a look at the dead-letter queue is kept, in milliseconds. Default: a minute. */
  keepMs?: number
}

/** To find one message all have to be looked at; beyond that an operator has other means. */
const MOST_LOOKED_AT = 10_000
/** Receives of a failing message are a visibility timeout apart: half a minute by default. */
const FAILING_SECONDS = 300
const MOST_FAILING = 1_000
const KEEP_MS = 60_000

interface At extends InboxPlaces {
  options: InboxCommandOptions
  terminal: Terminal
  print: (text: string, json: unknown) => void
}

/** The operator's command: status, list, show, redrive, purge. Resolves with the exit code, and never rejects. */
export async function inboxCommand(options: InboxCommandOptions, terminal: Terminal): Promise<number> {
  return runCommand(options.name, terminal, async () => {
    const typed = readCommand(programOf(options), terminal.args)
    if (typed.kind === 'print') {
      terminal.stdout(typed.text)
      return EXIT.done
    }
    if (typed.command === 'redrive' && typed.words.length > 0 === typed.options.all)
      throw new UsageError('redrive takes ids or --all, one of both')
    const places = await options.open(typed.options)
    const print = (text: string, json: unknown) =>
      terminal.stdout(typed.options.json ? `${harmlessJson(json, 2)}\n` : text)
    const at: At = { ...places, options, terminal, print }
    try {
      switch (typed.command) {
        case 'status':
          return await status(at)
        case 'list':
          return await list(at, typed.options)
        case 'show':
          return await show(at, typed.words[0] ?? '', typed.options.fresh)
        case 'redrive':
          return await redriveAndSay(at, typed.words, typed.options)
        default:
          return await purgeAndSay(at, typed.options.yes)
      }
    } finally {
      await places.close()
    }
  })
}

async function status(at: At): Promise<number> {
  const { queues, print } = at
  const [queue, deadLetters, failing] = await Promise.all([
    depthOf(queues.sqs, queues.queueUrl),
    depthOf(queues.sqs, queues.deadLetterUrl),
    recent(at),
  ])
  const depths: [string, Depth][] = [
    [queues.queueUrl, queue],
    [queues.deadLetterUrl, deadLetters],
  ]
  const words = failing.length === 0 ? '' : `\n${plural(failing.length, 'message')} failing now: see list\n`
  print(depthTable(depths) + words, {
    queue: { url: queues.queueUrl, ...queue },
    dead_letter_queue: { url: queues.deadLetterUrl, ...deadLetters },
    failing: failing.length,
  })
  return EXIT.done
}

async function list(at: At, { limit, fresh }: { limit: number; fresh: boolean }): Promise<number> {
  const { queues, print } = at
  const { visible, in_flight } = await depthOf(queues.sqs, queues.deadLetterUrl)
  const seen = await lookFrom(at, limit, fresh)
  const { letters } = seen
  const oldestFirst = letters.toSorted((one, other) => (one.sent_at ?? '').localeCompare(other.sent_at ?? ''))
  const dead = new Set(letters.map(({ message_id }) => message_id))
  const failing = (await recent(at)).filter(({ message_id }) => !dead.has(message_id))
  const hidden = Math.max(0, visible + in_flight - letters.length)
  const now = Date.now()
  const parts = [
    letters.length > 0 && letterTable(oldestFirst, now),
    letters.length === 0 && hidden === 0 && 'The dead-letter queue is empty.\n',
    hidden > 0 && `About ${hidden} more: beyond --limit, behind others of their FIFO group, or received elsewhere.\n`,
    failing.length > 0 && `Failing now, still in the queue:\n${failingTable(failing, now)}`,
    now - seen.lookedAt > 1_000 && `Looked ${Math.round((now - seen.lookedAt) / 1000)} s ago: --fresh looks again.\n`,
  ]
  print(parts.filter((part) => part !== false).join('\n'), {
    messages: oldestFirst.map(withoutContent),
    not_shown: hidden,
    failing,
    looked_at: new Date(seen.lookedAt).toISOString(),
  })
  return EXIT.done
}

async function show(at: At, id: string, fresh: boolean): Promise<number> {
  const { letters } = await lookFrom(at, MOST_LOOKED_AT, fresh)
  const letter = letters.find((one) => isNamed(one, id))
  if (letter) at.print(sheet(letter, Date.now()), letter)
  else at.print(notFound([id], at.queues), { missing: [id] })
  return letter ? EXIT.done : EXIT.notDone
}

async function redriveAndSay(
  at: At,
  ids: readonly string[],
  options: { all: boolean; 'dry-run': boolean; rate: number },
): Promise<number> {
  const { queues, findFailures, terminal, print } = at
  const dryRun = options['dry-run']
  const letters: DeadLetter[] = []
  await forgetLook(queues)
  const { sent, notDeleted, missing, interrupted } = await redrive(queues, {
    which: options.all ? 'all' : new Set(ids),
    dryRun,
    rate: options.rate,
    signal: terminal.signal,
    findFailures,
    onMessage(letter) {
      letters.push(letter)
      terminal.progress.now(`${plural(letters.length, 'message')} sent`)
    },
  })
  const words = [
    letters.length > 0 && letterTable(letters, Date.now()),
    `${sent} ${dryRun ? 'would be sent' : 'sent'} to ${harmless(queues.queueUrl)}.\n`,
    notDeleted.length > 0 && `Sent but not deleted, so they arrive twice: ${notDeleted.map(harmless).join(', ')}\n`,
    missing.length > 0 && notFound(missing, queues),
    interrupted && 'Interrupted; the rest is where it was.\n',
  ]
  print(words.filter((part) => part !== false).join('\n'), {
    sent,
    notDeleted,
    missing,
    interrupted,
    messages: letters.map(withoutContent),
  })
  if (interrupted) return EXIT.interrupted
  return missing.length === 0 ? EXIT.done : EXIT.notDone
}

async function purgeAndSay(at: At, yes: boolean): Promise<number> {
  const { queues, options, print } = at
  const { visible, in_flight } = await depthOf(queues.sqs, queues.deadLetterUrl)
  const count = visible + in_flight
  const sure = yes || (await options.confirm(`Delete about ${count} messages of ${queues.deadLetterUrl} for good?`))
  if (sure) await purge(queues)
  await forgetLook(queues)
  print(sure ? `About ${count} messages are deleted.\n` : 'Nothing is deleted. Without a terminal, --yes confirms.\n', {
    purged: sure ? count : 0,
  })
  return sure ? EXIT.done : EXIT.notDone
}

/** Without its database the command still shows the messages, and names the missing parts. */
async function recent({ recentFailures, terminal }: At): Promise<FailedMessage[]> {
  return recentFailures(FAILING_SECONDS, MOST_FAILING).catch((error: Error) => {
    terminal.stderr(`Which messages fail at present is unknown: ${harmless(error.message)}\n`)
    return []
  })
}

async function lookFrom(at: At, limit: number, fresh: boolean): Promise<Look> {
  const { queues, findFailures, options, terminal } = at
  terminal.progress.now('looking at the dead-letter queue')
  const { signal } = terminal
  const safely = (ids: string[]) =>
    findFailures(ids).catch((error: Error) => {
      terminal.stderr(`Why messages failed is unknown: ${harmless(error.message)}\n`)
      return new Map<string, FailedMessage>()
    })
  const seen = await look({ queues, findFailures: safely, signal, keepMs: options.keepMs ?? KEEP_MS }, { limit, fresh })
  terminal.progress.end()
  return seen
}

function withoutContent(letter: DeadLetter): Partial<DeadLetter> {
  const { body: _body, attributes: _attributes, ...rest } = letter
  return rest
}

function notFound(ids: readonly string[], { fifo }: Queues): string {
  const behind = fifo ? '; on a FIFO queue it may stand behind others of its key' : ''
  return `Not in the dead-letter queue, or received elsewhere at present: ${ids.map(harmless).join(', ')}${behind}\n`
}
