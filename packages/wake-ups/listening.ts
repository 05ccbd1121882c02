import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createOutageWatch, databaseOutage } from '@product-events/outages'

/** A silent connection is noticed within this time and the one below. */
const PROBE_EVERY_MS = 10_000
/** A notification that takes longer is of no use: a poll would have been as fast. */
const PROBE_TIMEOUT_MS = 2_000
/** A database that was restarted is listened to again within this time. */
const RECONNECT_MS = 1_000
/** A pooler that passes no notifications on, or a revoked right, is not going to change soon. */
const LONGEST_PAUSE_MS = 30_000
/** A connection that can't be made so often in a row is worth a report: an outage of the whole database has its own. */
const REPORTED_FAILURES = 5
/** Payloads of our own that are for no listener. */
const PROBE = 'probe:'

/** Called by an open connection. */
export interface Heard {
  /** A notification arrived. */
  notification(payload: string): void
  /** The connection broke: no notification will arrive. */
  lost(): void
}

/**
 * Opens a connection that listens to `channel`, and resolves once it does with the function that closes it. Rejects
 * with the error of the database or of the network, within seconds.
 */
export type Listen = (channel: string, heard: Heard) => Promise<() => unknown>

export interface ListeningOptions {
  listen: Listen
  channel: string
  /** Notifies `channel` of a probe. It must use another connection than the one that listens: see `keepListening`. */
  probe: (payload: string) => Promise<unknown>
  /** Called with each payload, and with an empty one whenever notifications may have been missed before. */
  onNotification: (payload: string) => void
  /** Called once when notifications do not arrive although the database answers, and once when they do again. */
  onLost?: (reason: string) => void
  onBack?: (awayMs: number) => void
  /** Whether an outage of the database is known, and so no report of its consequence is needed. */
  isDatabaseAway?: () => boolean
  signal: AbortSignal
}

export interface Listening {
  /** Whether notifications arrive: a probe of the last seconds has arrived. While it is false, poll. */
  works(): boolean
  /** Resolves once `signal` has aborted and the connection is given up. Never rejects. */
  ended: Promise<void>
}

/** Why a connection was given up, and for how long. */
interface GivenUp {
  reason: string
  /** Whether it had worked, or the database's outage explains it: then the next connection may work at once. */
  hopeful: boolean
}

/**
 * Listens to `channel` on a connection of its own until `signal` aborts, and renews the connection when it breaks.
 *
 * Finds out whether it works by notifying itself: a transaction pooler accepts LISTEN and passes nothing on, and a
 * connection may be dead without an error. The probe is sent over another connection, since even such a pooler passes
 * on the notification of a connection to itself.
 */
export function keepListening(options: ListeningOptions): Listening {
  const { signal, onLost = () => {}, onBack = () => {}, isDatabaseAway = () => false } = options
  const arriving = createOutageWatch({ lost: onLost, back: onBack })
  let works = false
  let failures = 0

  function worked(): void {
    works = true
    failures = 0
    arriving.worked()
  }

  /** Returns the milliseconds until the next connection. */
  function failed({ reason, hopeful }: GivenUp): number {
    works = false
    if (signal.aborted) return 0
    failures++
    if ((!hopeful || failures >= REPORTED_FAILURES) && !isDatabaseAway()) arriving.failed(reason)
    return hopeful ? RECONNECT_MS : Math.min(LONGEST_PAUSE_MS, RECONNECT_MS * 2 ** failures)
  }

  async function untilAborted(): Promise<void> {
    while (!signal.aborted) {
      const pauseMs = failed(await listenOnce(options, worked))
      await sleep(pauseMs, undefined, { signal }).catch(() => {})
    }
  }

  return { works: () => works, ended: untilAborted() }
}

/** Resolves, when the connection is of no use any more, with the reason. Never rejects. */
async function listenOnce(options: ListeningOptions, worked: () => void): Promise<GivenUp> {
  const { listen, channel, onNotification, signal } = options
  const over = new AbortController()
  const end = () => over.abort()
  const probes = new Map<string, () => void>()
  const notification = (payload: string) => {
    if (payload.startsWith(PROBE)) probes.get(payload)?.()
    else onNotification(payload)
  }
  const ended = new Promise<void>((resolve) => over.signal.addEventListener('abort', () => resolve()))
  signal.addEventListener('abort', end, { once: true })
  const opening = listen(channel, { notification, lost: end })
  let first = true
  try {
    await Promise.race([opening, ended])
    while (!over.signal.aborted) {
      if (!(await probe(options, probes, over.signal)))
        return { reason: `a notification of its own did not arrive within ${PROBE_TIMEOUT_MS} ms`, hopeful: !first }
      if (over.signal.aborted) break
      worked()
      if (first) onNotification('')
      first = false
      await sleep(PROBE_EVERY_MS, undefined, { signal: over.signal }).catch(() => {})
    }
    return { reason: 'the connection that listens was closed', hopeful: true }
  } catch (error) {
    const outage = databaseOutage(error)
    return { reason: outage ?? (error as Error).message, hopeful: outage !== undefined }
  } finally {
    signal.removeEventListener('abort', end)
    // Not awaited: a frozen server never confirms it. One that is still being opened is closed once it is open.
    void opening.then((close) => close()).catch(() => {})
  }
}

/**
 * True once a notification of our own arrives or the connection is over; false if none arrives in time. Rejects when it
 * can't be sent.
 */
async function probe(options: ListeningOptions, probes: Map<string, () => void>, over: AbortSignal): Promise<boolean> {
  const payload = `${PROBE}${randomUUID()}`
  const arrived = new Promise<boolean>((resolve) => probes.set(payload, () => resolve(true)))
  const stop = new AbortController()
  const end = () => stop.abort()
  over.addEventListener('abort', end, { once: true })
  const late = sleep(PROBE_TIMEOUT_MS, false, { signal: stop.signal }).catch(() => true)
  try {
    return await Promise.race([arrived, late, options.probe(payload).then(() => arrived)])
  } finally {
    over.removeEventListener('abort', end)
    stop.abort()
    probes.delete(payload)
  }
}
