import { createHash } from 'node:crypto'
import { chmod, lstat, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { Message } from '../event.ts'
import type { FailedMessage } from '../failed-messages.ts'
import { type DeadLetter, deadLetterOf } from './dead-letter.ts'
import { giveBack, type Queues, takeDeadLetters } from './queues.ts'

/** Long enough to receive a few thousand; given back long before. */
const LOOK_SECONDS = 60
/** Messages may have a megabyte each: a larger look is not kept. */
const MOST_KEPT_BYTES = 32 * 1024 * 1024

/** The result of a look at the dead-letter queue. */
export interface Look {
  letters: DeadLetter[]
  /** The most that it asked for. */
  limit: number
  /** Milliseconds since the epoch. */
  lookedAt: number
}

export interface Looking {
  queues: Queues
  findFailures: (messageIds: string[]) => Promise<Map<string, FailedMessage>>
  signal: AbortSignal
  /** How long a look is kept, in milliseconds. */
  keepMs: number
}

/**
 * Shows up to `limit` messages of the dead-letter queue: those of the last look, if that is young enough and saw as
 * many.
 */
export async function look(looking: Looking, { limit, fresh }: { limit: number; fresh: boolean }): Promise<Look> {
  const { queues, findFailures, signal, keepMs } = looking
  const kept = fresh ? undefined : await readKept(queues)
  const saw = kept && (kept.limit >= limit || kept.letters.length < kept.limit)
  if (kept && saw && Date.now() - kept.lookedAt < keepMs) return { ...kept, letters: kept.letters.slice(0, limit) }
  const taken: Message[] = []
  try {
    await takeDeadLetters(queues, { limit, seconds: LOOK_SECONDS, into: taken, signal })
  } finally {
    await giveBack(queues, taken)
  }
  const failures = await findFailures(taken.map((message) => message.MessageId ?? ''))
  const letters = taken.map((message) => deadLetterOf(message, failures.get(message.MessageId ?? '')))
  const found = { letters, limit, lookedAt: Date.now() }
  if (!signal.aborted) await keep(queues, found)
  return found
}

/** After a change of the queue the last look is outdated. */
export async function forgetLook(queues: Queues): Promise<void> {
  await rm(fileOf(queues), { force: true }).catch(() => {})
}

async function readKept(queues: Queues): Promise<Look | undefined> {
  try {
    await ownFolder()
    return JSON.parse(await readFile(fileOf(queues), 'utf8')) as Look
  } catch {
    return undefined
  }
}

/** Best effort: without it the next look costs a receive. */
async function keep(queues: Queues, found: Look): Promise<void> {
  const text = JSON.stringify(found)
  if (Buffer.byteLength(text) > MOST_KEPT_BYTES) return forgetLook(queues)
  const file = fileOf(queues)
  const written = `${file}.${process.pid}`
  await ownFolder()
    .then(() => writeFile(written, text, { mode: 0o600, flag: 'wx' }))
    .then(() => rename(written, file))
    .catch(() => rm(written, { force: true }).catch(() => {}))
}

const folder = join(tmpdir(), `product-events-inbox-${userInfo().username.replaceAll(/[^\w.-]/g, '_')}`)

/** Other users must not read the messages: the folder must belong to this user alone. */
async function ownFolder(): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { uid } = await lstat(folder)
  if (process.getuid && uid !== process.getuid()) throw new Error(`${folder} belongs to another user`)
  await chmod(folder, 0o700)
}

function fileOf({ deadLetterUrl }: Queues): string {
  return join(folder, `${createHash('sha256').update(deadLetterUrl).digest('hex').slice(0, 32)}.json`)
}
