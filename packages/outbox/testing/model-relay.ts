import type pg from 'pg'
import type { Bell } from '../bell.ts'
import { type Database, outboxTables } from '../database.ts'
import { createDrain } from '../drain.ts'
import { createHold } from '../hold.ts'
import { createLease, type Lease } from '../lease.ts'
import type { OutboxEvent, SendResult } from '../send.ts'
import { QUEUE_RETRIES } from '../settle.ts'

/** A relay that works only after it was woken, and until it waits for its bell. */
export interface ModelRelay {
  lease: Lease
  alive: boolean
  running: boolean
  /** The sendings that the broker told this relay it accepted. */
  known: Set<string>
  /** Its next statement (`fails`) or settlement fails, the latter before the database sees it or after. */
  database: 'works' | 'fails' | 'settles nothing' | 'loses the answer'
  /** Its timer, nudge or next cycle: rings its bell, or begins a cycle. */
  wake(): void
  ring(): void
  /** Resolves when the relay waits for its bell or has ended: it does nothing more until it is woken. */
  quiet(): Promise<void>
}

export interface ModelRelayOptions {
  db: pg.Pool
  now: () => number
  /** Resolves when the broker answers. */
  send: (relay: ModelRelay, events: readonly OutboxEvent[]) => Promise<SendResult>
}

export function createModelRelay({ db, now, send }: ModelRelayOptions): ModelRelay {
  let changed = () => {}
  const bell = createHandBell(() => changed())
  const tables = outboxTables({ query: (text, values) => queryOf(relay, db, text, values) as never })
  const lease = createLease(tables, 'model', { now })
  const drain = createDrain({
    tables,
    send: (events) => send(relay, events),
    lease,
    hold: createHold(),
    bell,
    report: () => {},
    batchSize: 3,
    inFlight: 2,
    retries: QUEUE_RETRIES,
    now,
  })
  const relay: ModelRelay = {
    lease,
    alive: true,
    running: false,
    known: new Set(),
    database: 'works',
    wake() {
      if (relay.running) return bell.ring()
      relay.running = true
      void drain
        .drainOnce({ stopping: () => !relay.alive })
        .catch(() => {})
        .finally(() => {
          relay.running = false
          changed()
        })
    },
    ring: bell.ring,
    async quiet() {
      while (relay.running && !bell.idle) await new Promise<void>((resolve) => (changed = resolve))
    },
  }
  return relay
}

/** The database as the relay has it at present. */
async function queryOf(relay: ModelRelay, db: pg.Pool, ...[text, values]: Parameters<Database['query']>) {
  if (!relay.alive) throw new Error('this process is gone')
  // Settling is where it matters most; whatever comes first would mostly be a look at the lanes.
  const state = /^UPDATE \S+\.events/.test(text) || relay.database === 'fails' ? relay.database : 'works'
  if (state !== 'works') relay.database = 'works'
  if (state === 'fails' || state === 'settles nothing') throw new Error('the database is away')
  const result = await db.query(text, values)
  if (state === 'loses the answer') throw new Error('the connection broke')
  return result
}

/** A bell without a clock: a wait ends only when it is rung. */
function createHandBell(onIdle: () => void): Bell & { idle: boolean } {
  let rung = false
  let wake: (() => void) | undefined
  const bell = {
    idle: false,
    ring() {
      rung = true
      bell.idle = false
      wake?.()
    },
    clear: () => void (rung = false),
    async wait(ms: number) {
      if (!rung && ms > 0) {
        await new Promise<void>((resolve) => {
          wake = resolve
          bell.idle = true
          onIdle()
        })
      }
      wake = undefined
      rung = false
    },
  }
  return bell
}
