import type pg from 'pg'
import { LANES } from '../lanes.ts'
import { SEND_TIMEOUT_MS } from '../send.ts'
import { createLedger, type Fate } from './ledger.ts'
import { createModelBroker } from './model-broker.ts'
import { createModelRelay, type ModelRelay } from './model-relay.ts'
import { createModelWriters } from './model-writers.ts'

/**
 * Several relays on one database, a broker that answers when it is told to, and a clock that is moved by hand: for the
 * relays by an offset, for the database by moving its timestamps into the past. A relay that is not woken while time
 * passes is a frozen one. Every promise of the outbox that can be broken by a single step is checked at that step.
 */
export async function createWorld(db: pg.Pool, relayCount: number) {
  await db.query('TRUNCATE events, outbox_relays, outbox_lanes')
  await db.query('INSERT INTO outbox_lanes (lane) SELECT generate_series(0, $1::int - 1)', [LANES])
  const { now, pass } = createModelClock(db)
  const ledger = createLedger()
  const { endAllLate, ...writers } = createModelWriters(db, ledger)
  const broker = createModelBroker(ledger, now)
  const newRelay = () => createModelRelay({ db, now, send: broker.send })
  const relays = Array.from({ length: relayCount }, newRelay)

  async function wake(relay: ModelRelay): Promise<void> {
    for (const flight of broker.flightsOf(relay))
      if (now() - flight.since >= SEND_TIMEOUT_MS) await broker.answer(flight, ['outage'])
    relay.wake()
    await relay.quiet()
  }

  /** The relay sends what it can, and the broker accepts all of it. */
  async function deliver(relay: ModelRelay): Promise<void> {
    await wake(relay)
    for (let flight; (flight = broker.flightsOf(relay)[0]);) await broker.answer(flight, ['accepted'])
  }

  return {
    ...writers,
    broken: ledger.broken,
    pass,
    /** The relay's timer, nudge or next cycle. */
    wake: (index: number) => wake(relays[index]!),
    /** The oldest send of the relay comes to its end. */
    async answer(index: number, fates: readonly Fate[]): Promise<void> {
      const [flight] = broker.flightsOf(relays[index]!)
      if (flight) await broker.answer(flight, fates)
    },
    breakDatabase(index: number, how: Exclude<ModelRelay['database'], 'works'>): void {
      relays[index]!.database = how
    },
    /** kill -9: sends in flight reach the broker or do not, unanswered, and a new process takes its place. */
    async crash(index: number, fates: readonly Fate[]): Promise<void> {
      const relay = relays[index]!
      relay.alive = false
      for (const flight of broker.flightsOf(relay)) await broker.answer(flight, fates)
      relay.ring()
      await relay.quiet()
      relays[index] = newRelay()
    },
    async stop(index: number): Promise<void> {
      const relay = relays[index]!
      // As `release` of a relay does: it waits for what has left.
      if (relay.running || broker.flightsOf(relay).length > 0) return
      await relay.lease.release().catch(() => {})
      relays[index] = newRelay()
    },
    /** The faults end: everything must leave. Returns the faults in the end. */
    async finish(): Promise<string[]> {
      await endAllLate()
      for (const relay of relays) relay.database = 'works'
      await pass(11_000)
      for (let round = 0; round < 20; round++) {
        for (const relay of relays) await deliver(relay)
        const { rowCount } = await db.query(`SELECT FROM events WHERE status IN ('pending', 'failed') LIMIT 1`)
        if (rowCount === 0) break
        await db.query(`UPDATE events SET next_attempt_at = clock_timestamp() WHERE status = 'failed'`)
        await pass(2_500)
      }
      return [...ledger.broken, ...(await ledger.wrongInTheEnd(db))]
    },
  }
}

/** Time that passes when it is told to, for the relays and for the database. */
function createModelClock(db: pg.Pool) {
  let offset = 0
  return {
    now: () => performance.now() + offset,
    async pass(ms: number): Promise<void> {
      offset += ms
      await db.query(`UPDATE outbox_relays SET expires_at = expires_at - $1 * interval '1 millisecond'`, [ms])
      await db.query(
        `UPDATE events SET next_attempt_at = next_attempt_at - $1 * interval '1 millisecond' WHERE status = 'failed'`,
        [ms],
      )
    },
  }
}
