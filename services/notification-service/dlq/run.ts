import type { FailedMessage } from '../failed-messages.ts'
import type { Message } from '../messages.ts'
import type { Command } from './arguments.ts'
import { type DeadLetter, deadLetterOf, isNamed } from './dead-letter.ts'
import { align, sheet, table, toJson } from './print.ts'
import { depthOf, giveBack, purge, type Queues, takeDeadLetters } from './queues.ts'
import { redrive } from './redrive.ts'

/** Long enough to receive a few thousand; given back long before. */
const LOOK_SECONDS = 60
/** To find one message all have to be looked at; beyond that an operator has other means. */
const MOST_LOOKED_AT = 10_000

export interface Surroundings {
  queues: Queues
  findFailures: (messageIds: string[]) => Promise<Map<string, FailedMessage>>
  say: (text: string) => void
  /** Asks a person; false without one. */
  confirm: (question: string) => Promise<boolean>
  signal: AbortSignal
}

/** Carries out one command. Resolves with false when it did not do all of what was asked, and has said why. */
export async function runCommand(command: Exclude<Command, { kind: 'help' }>, at: Surroundings): Promise<boolean> {
  const print = (text: string, json: unknown) => at.say(command.json ? JSON.stringify(json, null, 2) : text)
  switch (command.kind) {
    case 'status':
      return status(at, print)
    case 'list':
      return list(at, command.limit, print)
    case 'show': {
      const letter = (await look(at, MOST_LOOKED_AT)).find((letter) => isNamed(letter, command.id))
      if (letter) print(sheet(letter, Date.now()), toJson(letter, true))
      else print(notFound([command.id], at), { missing: [command.id] })
      return letter !== undefined
    }
    case 'redrive':
      return redriveAndTell(at, command, print)
    default:
      return purgeAndTell(at, command.yes, print)
  }
}

type Print = (text: string, json: unknown) => void

async function status({ queues }: Surroundings, print: Print): Promise<boolean> {
  const [queue, deadLetters] = await Promise.all([
    depthOf(queues.sqs, queues.queueUrl),
    depthOf(queues.sqs, queues.deadLetterUrl),
  ])
  const row = (url: string, { visible, in_flight, delayed }: typeof queue) => [
    url,
    ...[visible, in_flight, delayed].map(String),
  ]
  const rows = [
    ['QUEUE', 'VISIBLE', 'IN FLIGHT', 'DELAYED'],
    row(queues.queueUrl, queue),
    row(queues.deadLetterUrl, deadLetters),
  ]
  print(align(rows), {
    queue: { url: queues.queueUrl, ...queue },
    dead_letter_queue: { url: queues.deadLetterUrl, ...deadLetters },
  })
  return true
}

async function list(at: Surroundings, limit: number, print: Print): Promise<boolean> {
  const { visible, in_flight } = await depthOf(at.queues.sqs, at.queues.deadLetterUrl)
  const letters = await look(at, limit)
  const oldestFirst = letters.toSorted((one, other) => Number(one.sent_at ?? 0) - Number(other.sent_at ?? 0))
  const hidden = visible + in_flight - letters.length
  const more =
    hidden > 0 ? `\n\nAbout ${hidden} more: beyond --limit, behind others of their FIFO group, or in other hands.` : ''
  print(
    letters.length === 0 && hidden <= 0 ? 'The dead-letter queue is empty.' : table(oldestFirst, Date.now()) + more,
    { messages: oldestFirst.map((letter) => toJson(letter)), not_shown: Math.max(0, hidden) },
  )
  return true
}

/** Receives messages and gives them back at once, however that ends. */
async function look({ queues, findFailures, signal }: Surroundings, limit: number): Promise<DeadLetter[]> {
  const taken: Message[] = []
  try {
    await takeDeadLetters(queues, { limit, seconds: LOOK_SECONDS, into: taken, signal })
  } finally {
    await giveBack(queues, taken)
  }
  const failures = await findFailures(taken.map((message) => message.MessageId ?? ''))
  return taken.map((message) => deadLetterOf(message, failures.get(message.MessageId ?? '')))
}

async function redriveAndTell(
  at: Surroundings,
  command: Extract<Command, { kind: 'redrive' }>,
  print: Print,
): Promise<boolean> {
  const letters: DeadLetter[] = []
  const { findFailures, signal, queues } = at
  const result = await redrive(queues, {
    ...command,
    signal,
    findFailures,
    onMessage: (letter) => letters.push(letter),
  })
  const { sent, notDeleted, missing, interrupted } = result
  const words = [
    ...(letters.length > 0 ? [table(letters, Date.now()), ''] : []),
    command.dryRun ? `${sent} would be sent to ${queues.queueUrl}.` : `${sent} sent to ${queues.queueUrl}.`,
    ...(notDeleted.length > 0 ? [`Sent but not deleted, so they come twice: ${notDeleted.join(', ')}`] : []),
    ...(missing.length > 0 ? [notFound(missing, at)] : []),
    ...(interrupted ? ['Interrupted; the rest is where it was.'] : []),
  ]
  print(words.join('\n'), { ...result, messages: letters.map((letter) => toJson(letter)) })
  return missing.length === 0 && !interrupted
}

async function purgeAndTell(at: Surroundings, yes: boolean, print: Print): Promise<boolean> {
  const { visible, in_flight } = await depthOf(at.queues.sqs, at.queues.deadLetterUrl)
  const count = visible + in_flight
  const question = `Delete about ${count} messages of ${at.queues.deadLetterUrl} for good?`
  const sure = yes || (await at.confirm(question))
  if (sure) await purge(at.queues)
  print(sure ? `About ${count} messages are deleted.` : 'Nothing is deleted. Without a terminal, --yes confirms.', {
    purged: sure ? count : 0,
  })
  return sure
}

function notFound(ids: readonly string[], { queues }: Surroundings): string {
  const behind = queues.fifo ? '; on a FIFO queue it may stand behind others of its product' : ''
  return `Not in the dead-letter queue, or in other hands at the moment: ${ids.join(', ')}${behind}`
}
