import type { Tables } from './database.ts'
import {
  countRelays,
  deleteExpiredRelays,
  deleteSilentRelay,
  deregister,
  giveUp,
  LANES,
  lateLeases,
  register,
  renew,
  restoreLanes,
  takeFree,
} from './lanes.ts'
import { type ClockWatch, createClockWatch, createSilenceWatch, type SilenceWatch } from './lease-clock.ts'
import { SEND_TIMEOUT_MS } from './send.ts'
import { uuidv7 } from './uuidv7.ts'

/** How long a relay may be silent before others take over its lanes: the delay after a crash. */
export const LEASE_MS = 10_000
/** Four renewals may fail before the lease is gone, and it never gets so short that sending has to stop. */
export const RENEW_MS = 2_000
/** While lanes are handed over, both relays look more often. */
const HAND_OVER_MS = 250
/** A lane that leaves is not read any more: its events wait until what has left is settled. */
const DRAINING_MS = 50

export interface Lease {
  /** Whether an event of this lane may be sent now: the relay owns the lane, and does so until the send is over. */
  maySend(lane: number): boolean
  /** The lanes to read from. Empty when the lease has run out. */
  readable(): number[]
  owned(): number
  /** Whether every event is this relay's to read. */
  readsAll(): boolean
  /** Milliseconds until the next `balance` is due; 0 when it is. */
  dueInMs(): number
  /** The next `balance` is due now: lanes are free, or it is to find out whether the database can be written to. */
  dueNow(): void
  /**
   * Renews the lease (or takes a new one), then takes over free lanes up to the fair share, or gives up those above it:
   * a lane above it is not readable any more, and handed over as soon as `isDrained` says that nothing of it is held.
   */
  balance(isDrained: (lane: number) => boolean): Promise<void>
  /** Gives up all lanes. */
  release(): Promise<void>
}

export interface LeaseOptions {
  /** A monotonic clock in milliseconds. */
  now?: () => number
  /** Called when this relay gave up lanes: others may take them now. */
  onFreed?: () => unknown
}

/**
 * A relay's right to send, as a lease in a table. The database's clock decides when it ends for others; a monotonic
 * clock of this process, started *before* the renewal was asked for, decides when it ends here: never later.
 */
export function createLease(tables: Tables, name: string, options: LeaseOptions = {}): Lease {
  const { now = () => performance.now(), onFreed = () => {} } = options
  let relay: string | undefined
  let deadline = -Infinity
  let balanceAgainAt = -Infinity
  let owned = new Set<number>()
  let leaving = new Set<number>()
  const [clock, silence] = [createClockWatch(now), createSilenceWatch(now, LEASE_MS)]

  function lose(): void {
    relay = undefined
    owned = new Set()
    deadline = -Infinity
  }

  async function renewOrRegister(): Promise<string> {
    const asked = now()
    let clockMs = relay === undefined ? undefined : await renew(tables, relay, LEASE_MS)
    if (relay === undefined || clockMs === undefined) {
      lose()
      const id = uuidv7()
      clockMs = await register(tables, id, name, LEASE_MS)
      relay = id
    }
    clock.seen(clockMs, asked)
    deadline = asked + LEASE_MS
    return relay
  }

  return {
    maySend: (lane) => owned.has(lane) && now() + SEND_TIMEOUT_MS < deadline,
    readable: () => (now() + SEND_TIMEOUT_MS < deadline ? [...owned].filter((lane) => !leaving.has(lane)) : []),
    owned: () => owned.size,
    readsAll: () => owned.size === LANES && leaving.size === 0 && now() + SEND_TIMEOUT_MS < deadline,
    dueInMs: () => Math.max(0, balanceAgainAt - now()),
    dueNow: () => void (balanceAgainAt = -Infinity),

    async balance(isDrained) {
      balanceAgainAt = now() + RENEW_MS
      const id = await renewOrRegister()
      const { relays, lanes } = await freeLanes(tables, id, clock, silence)
      owned = new Set(lanes)
      const fairShare = Math.ceil(LANES / Math.max(1, relays))
      leaving = new Set(lanes.slice(fairShare))
      const drained = [...leaving].filter(isDrained)
      if (drained.length > 0) {
        await giveUp(tables, id, drained)
        for (const lane of drained) owned.delete(lane)
        void onFreed()
      }
      if (lanes.length < fairShare) {
        for (const lane of await takeFree(tables, id, fairShare - lanes.length)) owned.add(lane)
      }
      const balanced = owned.size <= fairShare && owned.size >= Math.floor(LANES / Math.max(1, relays))
      if (!balanced) balanceAgainAt = now() + (leaving.size > drained.length ? DRAINING_MS : HAND_OVER_MS)
    },

    async release() {
      const had = owned.size
      if (relay !== undefined) await deregister(tables, relay)
      lose()
      if (had > 0) await onFreed()
    },
  }
}

/** Frees the lanes of relays that are gone. Returns how many relays are alive, and the lanes of this one. */
async function freeLanes(
  tables: Tables,
  id: string,
  clock: ClockWatch,
  silence: SilenceWatch,
): Promise<{ relays: number; lanes: number[] }> {
  const { relays, lanes, expired, late, existing } = await countRelays(tables, id, LEASE_MS)
  // After a jump ahead every lease looks expired, and its relay may be sending: it stops within the length of a lease.
  if (expired > 0 && !clock.hasJumpedAhead(LEASE_MS)) await deleteExpiredRelays(tables)
  if (existing < LANES) await restoreLanes(tables)
  const leases = late > 0 ? await lateLeases(tables, LEASE_MS) : []
  for (const lease of silence.silentSince(leases)) await deleteSilentRelay(tables, lease)
  return { relays, lanes }
}
