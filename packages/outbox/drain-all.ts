import type { DrainCounts } from './drain.ts'
import type { Relay } from './relay.ts'

/**
 * Publishes every event that is due, then gives up the relay's lanes, so that the relay of the next test has them at
 * once. Returns what became of the events. An event that was refused stays in the outbox until it is due again. Rejects
 * when the broker has an outage, and when the database can't be reached. Another relay that runs on the same tables has
 * its own share of the events: stop it before.
 */
export async function drainAll(relay: Pick<Relay, 'drainOnce' | 'release'>): Promise<DrainCounts> {
  const total: DrainCounts = { claimed: 0, published: 0, failed: 0, dead: 0 }
  try {
    for (;;) {
      const counts = await relay.drainOnce()
      if (counts.outage !== undefined) throw new Error(`the broker has an outage: ${counts.outage}`)
      for (const name of ['claimed', 'published', 'failed', 'dead'] as const) total[name] += counts[name]
      if (counts.claimed === 0) return total
    }
  } finally {
    await relay.release()
  }
}
