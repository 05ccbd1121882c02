import { databaseOutage, failureOf, isolate, outageBackoffMs } from '@product-events/outages'
import { type Hold, identityOf } from './hold.ts'
import { createInFlight } from './in-flight.ts'
import type { Lease } from './lease.ts'
import type { MaySend, OutboxEvent, Outcome, Send, SendResult } from './send.ts'
import { type Rejection, rejection, type Retries } from './settle.ts'

/** An event that the broker fails at for so long, while it accepts others of the same sends, is to blame itself. */
const ITS_OWN_FAULT_AFTER_MS = 60 * 60_000
/** The longest pause before an event that the broker failed at is sent again. */
const NOT_TAKEN_CAP_MS = 30_000
/** Events under suspicion that are remembered: a broker that fails at more than this has an outage. */
const MAX_SUSPECTS = 10_000

export interface SendingOptions {
  send: Send
  lease: Pick<Lease, 'maySend'>
  hold: Hold
  /** Events handed to one `send`. */
  batchSize: number
  /** Sends in flight at once, where the broker is near. */
  inFlight: number
  /** The same where it is far away. */
  mostInFlight?: number
  retries: Retries
  /** Called with the verdicts of each send. The events without a verdict are back in `hold`. */
  onSent: (accepted: OutboxEvent[], rejected: Rejection[]) => void
}

export interface Sending {
  /** Starts as many sends as may be in flight. */
  start(): void
  /** Sends in flight. */
  underWay(): number
  /** The cycle begins: sends may start while `mayStart` says so and the broker judges events. */
  begin(mayStart: () => boolean): void
  mayStart(): boolean
  /** Why the broker gave no verdict in this cycle. */
  outage(): string | undefined
  /** True while fewer sends than usual are in flight, because the broker had an outage. */
  isCareful(): boolean
}

export function createSending(options: SendingOptions): Sending {
  const { lease, hold, batchSize, inFlight, mostInFlight = inFlight, onSent } = options
  const judge = createJudge(options.send)
  let sending = 0
  let outage: string | undefined
  /** After an outage one batch goes first; every accepted one doubles what may follow. */
  let window = inFlight
  const calls = createInFlight(inFlight, mostInFlight)
  let wanted: () => boolean = () => true
  const mayStart = () => outage === undefined && wanted()

  async function sendBatch(batch: OutboxEvent[]): Promise<void> {
    sending++
    const from = performance.now()
    const result = await judge.send(batch, lease.maySend)
    sending--
    if (result.outage === undefined) calls.answered(performance.now() - from)
    const accepted: OutboxEvent[] = []
    const rejected: Rejection[] = []
    for (const event of batch) {
      const outcome = result.outcomes.get(event.id)
      if (outcome === undefined) hold.putBack(event)
      else if (outcome.kind === 'accepted') accepted.push(event)
      else rejected.push(rejection(event, outcome, options.retries))
    }
    window = result.outage === undefined ? Math.min(calls.limit(), window * 2) : 1
    outage ??= result.outage
    onSent(accepted, rejected)
    // At once, not in the loop's next turn: verdicts that come while the database settles are settled together next.
    start()
  }

  function start(): void {
    while (sending < window && mayStart() && hold.ready() > 0) {
      const batch = hold.take(batchSize, (event) => lease.maySend(event.lane))
      if (batch.length > 0) void sendBatch(batch)
    }
  }

  return {
    start,
    underWay: () => sending,
    begin(mayStart) {
      outage = undefined
      wanted = mayStart
    },
    mayStart,
    outage: () => outage,
    isCareful: () => window < inFlight,
  }
}

type Judged = Exclude<Outcome, { kind: 'not-taken' }>

interface Verdict {
  outcomes: Map<string, Judged>
  outage?: string
}

interface Asked {
  result: SendResult
  maySend: MaySend
}

/** Decides whose failure it is when a send fails: the broker's, or that of one event. */
export function createJudge(send: Send) {
  const suspects = createSuspects()
  let acceptedAt = -Infinity

  async function sendPart(part: readonly OutboxEvent[], { result, maySend }: Asked): Promise<void> {
    // An earlier part may have cost so much time that this one could arrive after the lease.
    if (!part.every(({ lane }) => maySend(lane))) throw new LeaseOver()
    const { outcomes, outage } = await send(part, maySend)
    for (const [id, outcome] of outcomes) result.outcomes.set(id, outcome)
    if ([...outcomes.values()].some(({ kind }) => kind === 'accepted')) acceptedAt = performance.now()
    result.outage ??= outage
  }

  /** Sends the batch, in halves where a send rejects, and keeps the broker's verdict on each event. */
  async function ask(batch: readonly OutboxEvent[], maySend: MaySend): Promise<SendResult> {
    const result: SendResult = { outcomes: new Map() }
    const asked = { result, maySend }
    const unjudged = (events: readonly OutboxEvent[]) => events.filter(({ id }) => !result.outcomes.has(id))
    let culprit: { event: OutboxEvent; error: unknown } | undefined
    const { culprits, outage } = await isolate(batch, {
      async attempt(part) {
        const rest = unjudged(part)
        if (result.outage !== undefined || rest.length === 0) return
        if (rest.length === 1) culprit = { event: rest[0]!, error: undefined }
        await sendPart(rest, asked).catch((error: unknown) => {
          if (culprit) culprit.error = error
          throw error
        })
      },
      isOutage: (error) => error instanceof LeaseOver || databaseOutage(error) !== undefined,
      async probe() {
        const { event, error } = culprit!
        if (suspects.failed(event).since < acceptedAt) return
        for (const other of unjudged(batch)) {
          if (other === event) continue
          if ((await failureOf(() => sendPart([other], asked))) === undefined) return
        }
        throw error
      },
    })
    for (const { item, error } of culprits) {
      suspects.proven(item)
      result.outcomes.set(item.id, { kind: 'refused', reason: error.message })
    }
    result.outage ??= outage?.message
    return result
  }

  return {
    /** Never rejects. An event without an outcome was not judged, for the reason in `outage`. */
    async send(batch: readonly OutboxEvent[], maySend: MaySend): Promise<Verdict> {
      const { outcomes, outage } = await ask(batch, maySend)
      const [first] = outcomes.values()
      if (batch.length > 1 && first?.kind === 'not-taken' && isNothingTaken(batch, outcomes))
        return { outcomes: new Map(), outage: first.reason }
      const otherAccepted = [...outcomes.values()].some(({ kind }) => kind === 'accepted')
      const known = new Map<string, Judged>()
      for (const event of batch) {
        const outcome = outcomes.get(event.id)
        if (outcome) known.set(event.id, judged(suspects, event, outcome, otherAccepted))
      }
      const reason = outage ?? (known.size < batch.length ? 'the broker left events without a verdict' : undefined)
      return { outcomes: known, ...(reason !== undefined && { outage: reason }) }
    },
  }
}

function judged(suspects: Suspects, event: OutboxEvent, outcome: Outcome, otherAccepted: boolean): Judged {
  if (outcome.kind === 'accepted') suspects.cleared(event)
  if (outcome.kind !== 'not-taken') return outcome
  const { since, failures } = suspects.failed(event)
  const { reason } = outcome
  if (otherAccepted && performance.now() - since >= ITS_OWN_FAULT_AFTER_MS) return { kind: 'refused', reason }
  return { kind: 'postponed', reason, delayMs: outageBackoffMs(failures, NOT_TAKEN_CAP_MS) }
}

function isNothingTaken(batch: readonly OutboxEvent[], outcomes: Map<string, Outcome>): boolean {
  return batch.every(({ id }) => outcomes.get(id)?.kind === 'not-taken')
}

type Suspects = ReturnType<typeof createSuspects>

/** Events that failed while nothing proved whose failure it was: since when, and how often. */
function createSuspects() {
  const suspects = new Map<string, { since: number; failures: number }>()
  return {
    failed(event: OutboxEvent): { since: number; failures: number } {
      const known = suspects.get(identityOf(event)) ?? { since: performance.now(), failures: 0 }
      known.failures++
      suspects.set(identityOf(event), known)
      const [oldest] = suspects.keys()
      if (suspects.size > MAX_SUSPECTS && oldest !== undefined) suspects.delete(oldest)
      return known
    },
    /** Others were accepted where this one failed: from now on its failures are its own. */
    proven: (event: OutboxEvent) => void suspects.set(identityOf(event), { since: -Infinity, failures: 1 }),
    cleared: (event: OutboxEvent) => void suspects.delete(identityOf(event)),
  }
}

class LeaseOver extends Error {
  override message = 'the lease ended before the event could be sent'
}
