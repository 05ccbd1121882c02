import { setTimeout as sleep } from 'node:timers/promises'
import { checkHistory, type Violation } from '../history/check.ts'
import { judgeDeliveries } from '../history/deliveries.ts'
import type { History } from '../history/history.ts'
import type { CrashStack } from './crash-stack.ts'
import { doHarm } from './faults.ts'
import type { FaultCounts } from './harm.ts'
import { type Looks, lookOn, untilTrue } from './onlooker.ts'
import { createRandom } from './random.ts'
import { forgetHostile } from './receivers.ts'
import { followStreams } from './streams.ts'
import { acceptance, readEvents, readMarks, readNotifications, readProducts, readUnderWay } from './witnesses.ts'
import { write } from './writer.ts'

/** Backoffs reach 30 s, and the last refused events wait for theirs. Work that is not done by then will not be. */
const DRAIN_TIMEOUT_MS = 120_000
const LOOK_EVERY_MS = 100

/** What the processes and the front tell while a round goes on. */
export interface Ears {
  accepted: string[]
  faults: FaultCounts
  surprises: string[]
}

export interface RoundResult {
  seed: number
  history: History
  violations: Violation[]
  /** What no process and no answer should ever do, besides. */
  surprises: string[]
  faults: FaultCounts
  /** How long faults and writes went on. */
  activeMs: number
  /** From the last fault to the last thing that was under way; undefined when it took too long. */
  drainedMs: number | undefined
  /** From there until every service reported the true state. */
  trueMs: number
  /** What became true last. */
  lastTrue: string | undefined
  looks: Looks
  /** Received by the well-behaved webhook endpoint. */
  deliveries: number
  /** Connections of the readers of the streams. */
  streamConnections: number
}

export interface RoundOptions {
  stack: CrashStack
  ears: Ears
  seed: number
  seconds: number
  updates: boolean
}

/** Writes and does harm at once for `seconds`, lifts all faults, waits until everything has drained, and decides. */
export async function runRound({ stack, ears, seed, seconds, updates }: RoundOptions): Promise<RoundResult> {
  const random = createRandom(seed)
  const label = `round ${seed}`
  const marks = await readMarks(stack)
  ears.accepted.length = 0
  ears.surprises.length = 0
  ears.faults.clear()
  const started = performance.now()
  const stop = new AbortController()
  const onSurprise = (what: string) => void ears.surprises.push(what)
  const over = new AbortController()
  const streams = followStreams(stack, marks.notification, onSurprise)
  const looking = lookOn(stack.watched, onSurprise, over.signal)
  const [operations] = await Promise.all([
    write({ urls: stack.urls, random: random.fork('writer'), label, updates, onSurprise }, stop.signal),
    doHarm(
      {
        stack,
        random: random.fork('faults'),
        count: (fault) => void ears.faults.set(fault, (ears.faults.get(fault) ?? 0) + 1),
      },
      stop.signal,
    ),
    sleep(seconds * 1000).then(() => stop.abort()),
  ])
  const lifted = performance.now()
  const drained = await drain(stack)
  const drainedMs = drained ? performance.now() - lifted : undefined
  ears.surprises.push(...(await streams.untilEqual()))
  await forgetHostile(stack.direct.notifications)
  const rest = await untilTrue(stack)
  ears.surprises.push(...rest.lies)
  await streams.stop()
  const trueMs = performance.now() - lifted - (drainedMs ?? 0)
  over.abort()
  const looks = await looking
  const history: History = {
    operations,
    products: await readProducts(stack.direct.products, label),
    events: await readEvents(stack.direct.products, marks.event),
    accepted: ears.accepted.map(acceptance),
    notifications: await readNotifications(stack.direct.notifications, marks.position),
  }
  const deliveries = stack.receivers.received.slice(marks.received)
  const older = new Set(stack.receivers.received.slice(0, marks.received))
  ears.surprises.push(...judgeDeliveries(history.notifications, deliveries, (eventId) => older.has(eventId)))
  return {
    seed,
    history,
    violations: checkHistory(history),
    surprises: [...ears.surprises],
    faults: new Map(ears.faults),
    activeMs: lifted - started,
    drainedMs,
    trueMs,
    lastTrue: rest.last,
    looks,
    deliveries: deliveries.length,
    streamConnections: streams.connections(),
  }
}

export async function drain(stack: CrashStack): Promise<boolean> {
  for (const until = performance.now() + DRAIN_TIMEOUT_MS; performance.now() < until;) {
    // The database may still be starting: then not even looking works.
    const underWay = await readUnderWay(stack.direct).catch(() => undefined)
    if (underWay && Object.values(underWay).every((count) => count === 0)) return true
    await sleep(LOOK_EVERY_MS)
  }
  return false
}

export function passed({ violations, surprises, drainedMs }: RoundResult): boolean {
  return violations.length === 0 && surprises.length === 0 && drainedMs !== undefined
}
