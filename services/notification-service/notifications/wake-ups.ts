import { randomUUID } from 'node:crypto'
import { createNotifier, createProbe, keepListening, type Listen } from '@product-events/wake-ups'
import type pg from 'pg'

/** All instances of the service listen to it, in their own database. */
const CHANNEL = 'notifications_stored'

/** Says at once, in every instance of the service, that notifications were stored. Polls remain the certainty. */
export interface WakeUps {
  /** To be called after each commit that stored notifications in this process. */
  stored(): void
  /** Calls `wake` whenever there may be new notifications, until the returned function is called. */
  onStored(wake: () => void): () => void
  /** Whether notifications of other instances arrive. */
  works(): boolean
  /** Resolves when the connection is closed, after the signal. */
  ended: Promise<void>
}

export interface WakeUpsOptions {
  pool: pg.Pool
  /** Makes the connection that listens. */
  listen: Listen
  signal: AbortSignal
}

export function createWakeUps({ pool, listen, signal }: WakeUpsOptions): WakeUps {
  const listeners = new Set<() => void>()
  const own = randomUUID()
  const notify = createNotifier(pool, CHANNEL, own)
  const wakeAll = () => {
    for (const wake of listeners) wake()
  }
  const listening = keepListening({
    listen,
    channel: CHANNEL,
    probe: createProbe(pool, CHANNEL),
    onNotification(payload) {
      if (payload !== own) wakeAll()
    },
    signal,
  })

  return {
    works: listening.works,
    ended: listening.ended,
    stored() {
      wakeAll()
      notify()
    },
    onStored(wake) {
      listeners.add(wake)
      return () => void listeners.delete(wake)
    },
  }
}
