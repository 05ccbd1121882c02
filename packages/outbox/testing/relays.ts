import type pg from 'pg'
import { append } from '../append.ts'
import type { Bell } from '../bell.ts'
import { type Database, outboxTables } from '../database.ts'
import { createDrain, type Drain } from '../drain.ts'
import { listEvents } from '../find.ts'
import { createHold } from '../hold.ts'
import { LANES } from '../lanes.ts'
import { createLease, type Lease } from '../lease.ts'
import { redrive } from '../redrive.ts'
import { type OutboxEvent, type Send, SEND_TIMEOUT_MS, type SendResult } from '../send.ts'
import { QUEUE_RETRIES } from '../settle.ts'
import { createLedger, type Fate, sendingOf } from './ledger.ts'

interface Flight {
  relay: ModelRelay
  events: readonly OutboxEvent[]
  since: number
  end(result: SendResult): void
}

interface ModelRelay {
  drain: Drain
  lease: Lease
  bell: Bell & { idle: boolean }
  alive: boolean
  /** The sendings that the broker told this relay it accepted. */
  known: Set<string>
  /** Its next statement (`fails`) or settlement fails, the latter before the database sees it or after. */
  database: 'works' | 'fails' | 'settles nothing' | 'loses the answer'
  running: boolean
}

/**
 * Several relays on one database, a broker that answers when it is told to, and a clock that is moved by hand: for the
 * relays by an offset, for the database by moving its timestamps into the past. A relay that is not woken while time
 * passes is a frozen one. Every promise of the outbox that can be broken by a single step is checked at that step.
 */
export async function createWorld(db: pg.Pool, relayCount: number) {
  await db.query('TRUNCATE events, outbox_relays, outbox_lanes')
  await db.query('INSERT INTO outbox_lanes (lane) SELECT generate_series(0, $1::int - 1)', [LANES])
  let offset = 0
  const now = () => performance.now() + offset
  const ledger = createLedger()
  const flights: Flight[] = []
  const late = new Map<string, { tx: pg.PoolClient; ids: string[] }>()
  let changed = () => {}
  const relays = Array.from({ length: relayCount }, createModelRelay)

  function createModelRelay(): ModelRelay {
    const query: Database['query'] = async (text, values) => {
      if (!relay.alive) throw new Error('this process is gone')
      // Settling is where it matters most; whatever comes first would mostly be a look at the lanes.
      const state = /^UPDATE \S+\.events/.test(text) || relay.database === 'fails' ? relay.database : 'works'
      if (state !== 'works') relay.database = 'works'
      if (state === 'fails' || state === 'settles nothing') throw new Error('the database is away')
      const result = await db.query(text, values)
      if (state === 'loses the answer') throw new Error('the connection broke')
      return result as never
    }
    const send: Send = (events) =>
      new Promise((end) => {
        if (!relay.alive) return
        // A send that is older than a send may be is that of a frozen relay: the broker has it or has it not by now.
        const young = flights.filter(({ since }) => now() - since < SEND_TIMEOUT_MS).flatMap(({ events }) => events)
        ledger.sent(events, young, relay.known)
        flights.push({ relay, events, since: now(), end })
      })
    const bell = createHandBell(() => changed())
    const lease = createLease(outboxTables({ query }), 'model', now)
    const drain = createDrain({
      tables: outboxTables({ query }),
      send,
      lease,
      hold: createHold(),
      bell,
      report: () => {},
      batchSize: 3,
      inFlight: 2,
      retries: QUEUE_RETRIES,
      now,
    })
    const relay: ModelRelay = { drain, lease, bell, alive: true, known: new Set(), database: 'works', running: false }
    return relay
  }

  /** Until the relay waits for its bell or has come to its end: then nothing of it happens by itself. */
  async function quiet(relay: ModelRelay): Promise<void> {
    while (relay.running && !relay.bell.idle) await new Promise<void>((resolve) => (changed = resolve))
  }

  async function wake(relay: ModelRelay): Promise<void> {
    for (const flight of flights.filter((flight) => flight.relay === relay && now() - flight.since >= SEND_TIMEOUT_MS))
      await answer(flight, ['outage'])
    if (relay.running) relay.bell.ring()
    else {
      relay.running = true
      void relay.drain
        .drainOnce({ stopping: () => !relay.alive })
        .catch(() => {})
        .finally(() => {
          relay.running = false
          changed()
        })
    }
    await quiet(relay)
  }

  async function answer(flight: Flight, fates: readonly Fate[]): Promise<void> {
    flights.splice(flights.indexOf(flight), 1)
    const result: SendResult = { outcomes: new Map() }
    for (const [index, event] of flight.events.entries()) {
      const fate = fates[index % fates.length]!
      ledger.judged(event, fate)
      if (fate === 'accepted') flight.relay.known.add(sendingOf(event))
      if (fate === 'accepted') result.outcomes.set(event.id, { kind: fate })
      if (fate === 'refused' || fate === 'unacceptable') result.outcomes.set(event.id, { kind: fate, reason: fate })
      if (fate === 'outage') result.outage = 'the broker is away'
    }
    flight.end(result)
    // One turn of the event loop: the relay hears of it before anybody looks whether it is quiet.
    await new Promise((resolve) => setImmediate(resolve))
    await quiet(flight.relay)
  }

  const world = {
    broken: ledger.broken,
    /** Appends and commits. Keys whose lock an open transaction has are left out: a writer would wait for it. */
    async append(keys: readonly string[], attempts: number): Promise<void> {
      const free = keys.filter((key) => !late.has(key))
      const events = ledger.newEvents(free, { committed: true, attempts })
      await append(db, events)
      if (attempts === 0) return
      await db.query('UPDATE events SET attempts = $2 WHERE event_id = ANY ($1)', [
        events.map(({ id }) => id),
        attempts,
      ])
    },
    /** Appends in a transaction that stays open until `endLate`. */
    async appendLate(key: string): Promise<void> {
      if (late.has(key)) return
      const tx = await db.connect()
      await tx.query('BEGIN')
      const events = ledger.newEvents([key, key], { committed: false, attempts: 0 })
      await append(tx, events)
      late.set(key, { tx, ids: events.map(({ id }) => id) })
    },
    async endLate(key: string, commits: boolean): Promise<void> {
      const open = late.get(key)
      if (open === undefined) return
      late.delete(key)
      await open.tx.query(commits ? 'COMMIT' : 'ROLLBACK')
      open.tx.release()
      if (commits) ledger.committed(open.ids)
    },
    /** The relay's timer, nudge or next cycle. */
    wake: (index: number) => wake(relays[index]!),
    /** The oldest send of the relay comes to its end. */
    async answer(index: number, fates: readonly Fate[]): Promise<void> {
      const flight = flights.find(({ relay }) => relay === relays[index])
      if (flight) await answer(flight, fates)
    },
    breakDatabase(index: number, how: Exclude<ModelRelay['database'], 'works'>): void {
      relays[index]!.database = how
    },
    /** kill -9: what had left reaches the broker or does not, nobody hears of it, and a new process takes its place. */
    async crash(index: number, fates: readonly Fate[]): Promise<void> {
      const relay = relays[index]!
      relay.alive = false
      for (const flight of flights.filter((flight) => flight.relay === relay)) await answer(flight, fates)
      relay.bell.ring()
      await quiet(relay)
      relays[index] = createModelRelay()
    },
    async stop(index: number): Promise<void> {
      const relay = relays[index]!
      // As `release` of a relay does: it waits for what has left.
      if (relay.running || flights.some((flight) => flight.relay === relay)) return
      await relay.lease.release().catch(() => {})
      relays[index] = createModelRelay()
    },
    async redrive(): Promise<void> {
      const dead = await listEvents(outboxTables(db), { status: 'dead' }, '0', 1_000)
      const ids = dead.map(({ id }) => id)
      await redrive(outboxTables(db), ids, { by: 'model', signal: new AbortController().signal, onProgress: () => {} })
      ledger.redriven(dead.map((event) => event.event_id))
    },
    async pass(ms: number): Promise<void> {
      offset += ms
      await db.query(`UPDATE outbox_relays SET expires_at = expires_at - $1 * interval '1 millisecond'`, [ms])
      await db.query(
        `UPDATE events SET next_attempt_at = next_attempt_at - $1 * interval '1 millisecond' WHERE status = 'failed'`,
        [ms],
      )
    },
    /** The faults end: everything must leave. Returns what is wrong in the end. */
    async finish(): Promise<string[]> {
      for (const key of late.keys()) await world.endLate(key, true)
      for (const relay of relays) relay.database = 'works'
      await world.pass(11_000)
      for (let round = 0; round < 20; round++) {
        for (const relay of relays) {
          await wake(relay)
          for (let flight; (flight = flights.find((flight) => flight.relay === relay));)
            await answer(flight, ['accepted'])
        }
        const { rowCount } = await db.query(`SELECT FROM events WHERE status IN ('pending', 'failed') LIMIT 1`)
        if (rowCount === 0) break
        await db.query(`UPDATE events SET next_attempt_at = clock_timestamp() WHERE status = 'failed'`)
        await world.pass(2_500)
      }
      return [...ledger.broken, ...(await ledger.wrongInTheEnd(db))]
    },
    async end(): Promise<void> {
      for (const { tx } of late.values()) tx.release(true)
    },
  }

  return world
}

/** A bell without a clock: whoever waits waits until it is rung. */
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
