import { randomUUIDv7 } from 'node:crypto'
import type { Tables } from './database.ts'
import { buryExpired, census, deregister, giveUp, LANES, register, renew, takeFree } from './lanes.ts'
import { SEND_TIMEOUT_MS } from './send.ts'

/** How long a relay may be silent before others take its lanes: the delay after a crash. */
export const LEASE_MS = 10_000
/** Four renewals may fail before the lease is gone, and it never gets so short that sending has to stop. */
export const RENEW_MS = 2_000
/** While lanes change hands, whoever gives and whoever waits look more often. */
const HAND_OVER_MS = 250

export interface Lease {
  /** Whether an event of this lane may be sent now: the lane is ours and stays so until the send is over. */
  maySend(lane: number): boolean
  /** The lanes to read from. Empty when the lease has run out. */
  readable(): number[]
  owned(): number
  /** Milliseconds until the next `balance` is due; 0 when it is. */
  dueInMs(): number
  /**
   * Renews the lease (or takes a new one), then takes free lanes up to the fair share, or gives up what is above it:
   * a lane above it is not readable any more, and handed over as soon as `isDrained` says that nothing of it is held.
   */
  balance(isDrained: (lane: number) => boolean): Promise<void>
  /** Gives everything back. */
  release(): Promise<void>
}

/**
 * A relay's right to send, as a lease in a table. The database's clock decides when it ends for others; a monotonic
 * clock of this process, started *before* the renewal was asked for, decides when it ends here: never later.
 */
export function createLease(tables: Tables, name: string, now: () => number = () => performance.now()): Lease {
  let relay: string | undefined
  let deadline = -Infinity
  let balanceAgainAt = -Infinity
  let owned = new Set<number>()
  let leaving = new Set<number>()

  async function renewOrRegister(): Promise<string> {
    const asked = now()
    if (relay === undefined || !(await renew(tables, relay, LEASE_MS))) {
      relay = undefined
      owned = new Set()
      deadline = -Infinity
      const id = randomUUIDv7()
      await register(tables, id, name, LEASE_MS)
      relay = id
    }
    deadline = asked + LEASE_MS
    return relay
  }

  return {
    maySend: (lane) => owned.has(lane) && now() + SEND_TIMEOUT_MS < deadline,
    readable: () => (now() + SEND_TIMEOUT_MS < deadline ? [...owned].filter((lane) => !leaving.has(lane)) : []),
    owned: () => owned.size,
    dueInMs: () => Math.max(0, balanceAgainAt - now()),

    async balance(isDrained) {
      balanceAgainAt = now() + RENEW_MS
      const id = await renewOrRegister()
      await buryExpired(tables)
      const { relays, lanes } = await census(tables, id)
      owned = new Set(lanes)
      const fairShare = Math.ceil(LANES / Math.max(1, relays))
      leaving = new Set(lanes.slice(fairShare))
      const drained = [...leaving].filter(isDrained)
      if (drained.length > 0) {
        await giveUp(tables, id, drained)
        for (const lane of drained) owned.delete(lane)
      }
      if (lanes.length < fairShare) {
        for (const lane of await takeFree(tables, id, fairShare - lanes.length)) owned.add(lane)
      }
      const balanced = owned.size <= fairShare && owned.size >= Math.floor(LANES / Math.max(1, relays))
      if (!balanced) balanceAgainAt = now() + HAND_OVER_MS
    },

    async release() {
      if (relay !== undefined) await deregister(tables, relay)
      relay = undefined
      owned = new Set()
      deadline = -Infinity
    },
  }
}
