import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

/** A silent connection is noticed within this time and the one below. */
const PROBE_EVERY_MS = 10_000
/** A notification that takes longer is of no use: a poll would have been as fast. */
const PROBE_TIMEOUT_MS = 2_000
/** A database that was restarted is listened to again within this time. */
const RECONNECT_MS = 1_000
/** A pooler that passes no notifications on is not going to change soon. */
const PROBE_AGAIN_MS = 30_000
const CONNECT_TIMEOUT_MS = 3_000
/** Payloads of our own that are for no listener. */
const PROBE = 'probe:'

export interface ListenOptions {
  /** How the one connection of the listener is made. */
  config: pg.ClientConfig
  /** Sends the probes. They must go another way than the connection that listens: see `listen`. */
  db: Pick<pg.Pool, 'query'>
  channel: string
  /** Called with each payload, and with an empty one whenever notifications may have been missed before. */
  onNotification: (payload: string) => void
  signal: AbortSignal
}

export interface Listening {
  /** Whether notifications arrive: a probe of the last seconds has arrived. While it is false, poll. */
  works(): boolean
  /** Resolves when `signal` has aborted and the connection is closed. Never rejects. */
  ended: Promise<void>
}

/**
 * Listens to `channel` on a connection of its own until `signal` aborts, and renews the connection when it breaks.
 *
 * Finds out whether it works by notifying itself: a transaction pooler accepts LISTEN and passes nothing on, and a
 * connection may be dead without an error. The probe is sent over `db`, since even such a pooler passes on the
 * notification of a connection to itself.
 */
export function listen(options: ListenOptions): Listening {
  const { signal } = options
  let works = false

  async function keepListening(): Promise<void> {
    while (!signal.aborted) {
      const pauseMs = await listenOnce(options, (now) => (works = now))
      works = false
      await sleep(pauseMs, undefined, { signal }).catch(() => {})
    }
  }

  return { works: () => works, ended: keepListening() }
}

/** Resolves, when the connection is of no use any more, with the time until the next one. */
async function listenOnce(options: ListenOptions, setWorks: (works: boolean) => void): Promise<number> {
  const { config, channel, onNotification, signal } = options
  const client = new pg.Client({
    ...config,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: CONNECT_TIMEOUT_MS,
  })
  const over = new AbortController()
  const end = () => over.abort()
  const probes = new Map<string, () => void>()
  client.on('error', end).on('end', end)
  client.on('notification', ({ payload = '' }) => {
    if (payload.startsWith(PROBE)) probes.get(payload)?.()
    else onNotification(payload)
  })
  signal.addEventListener('abort', end, { once: true })
  try {
    await client.connect()
    await client.query(`LISTEN ${client.escapeIdentifier(channel)}`)
    for (let first = true; !over.signal.aborted; first = false) {
      if (!(await probe(options, probes, over.signal))) return PROBE_AGAIN_MS
      setWorks(true)
      if (first) onNotification('')
      await sleep(PROBE_EVERY_MS, undefined, { signal: over.signal }).catch(() => {})
    }
    return RECONNECT_MS
  } catch {
    return RECONNECT_MS
  } finally {
    signal.removeEventListener('abort', end)
    // Not awaited: a frozen server never confirms it.
    client.end().catch(() => {})
  }
}

/** True once a notification of our own arrives; false if none does in time. Rejects when it can't be sent. */
async function probe(
  { db, channel }: ListenOptions,
  probes: Map<string, () => void>,
  over: AbortSignal,
): Promise<boolean> {
  const payload = `${PROBE}${randomUUID()}`
  const arrived = new Promise<boolean>((resolve) => probes.set(payload, () => resolve(true)))
  const stop = new AbortController()
  const late = sleep(PROBE_TIMEOUT_MS, false, { signal: AbortSignal.any([over, stop.signal]) }).catch(() => true)
  try {
    await db.query('SELECT pg_notify($1, $2)', [channel, payload])
    return await Promise.race([arrived, late])
  } finally {
    stop.abort()
    probes.delete(payload)
  }
}
