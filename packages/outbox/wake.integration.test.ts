import { transaction } from '@product-events/database'
import { freshDatabase } from '@product-events/local'
import type pg from 'pg'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { createOutbox, outboxMigrations } from './index.ts'
import { connectForTest, newEvent, testBroker } from './testing/outbox.ts'
import { type ForeignRelay, soon, startForeignRelay } from './testing/wake.ts'

const outbox = createOutbox({ schema: 'public' })
let databaseUrl: string
let pool: pg.Pool
let broker: ReturnType<typeof testBroker>
const opened: (() => Promise<unknown>)[] = []
beforeEach(async () => {
  databaseUrl = await freshDatabase(inject('postgresUrl'), outboxMigrations)
  pool = connectForTest(databaseUrl)
  broker = testBroker()
})
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
  await pool.end()
})

function startRelay(): ForeignRelay {
  const relay = startForeignRelay(databaseUrl, broker.send)
  opened.push(relay.close)
  return relay
}

/** On a busy machine the poll of two seconds may come between: then it is tried again. */
async function inOneOfFive(woken: () => Promise<boolean>): Promise<boolean> {
  for (let tries = 0; tries < 5; tries++) if (await woken()) return true
  return false
}

/** Appends events until one is with the broker by `wake` alone, without a poll between. */
const isWoken = (relay: ForeignRelay, wake: () => unknown) => inOneOfFive(() => bringsEvent(relay, wake))

async function bringsEvent(relay: ForeignRelay, wake: () => unknown): Promise<boolean> {
  await relay.rested()
  const renewals = relay.renewals()
  const event = newEvent('a')
  await transaction(pool, (tx) => outbox.append(tx, [event]))
  await wake()
  await expect.poll(() => broker.accepted.map(({ eventId }) => eventId), soon).toContain(event.id)
  return relay.renewals() === renewals
}

test('a process without a relay wakes the relay of another one', async () => {
  expect(await isWoken(startRelay(), () => outbox.wake(pool))).toBe(true)
})

test('a writer in any language wakes the relays by one statement', async () => {
  expect(await isWoken(startRelay(), () => pool.query('NOTIFY outbox_public'))).toBe(true)
})

test('a relay whose connection was cut off is woken again as soon as it has another one', async () => {
  const relay = startRelay()
  await relay.rested()
  const probes = () => relay.statements.filter((text) => text.includes('pg_notify')).length
  const before = probes()
  await pool.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE application_name = 'wake-ups' AND datname = current_database()`)
  await expect.poll(probes, soon).toBeGreaterThan(before)
  expect(await isWoken(relay, () => outbox.wake(pool))).toBe(true)
})

test('a relay wakes others for the lanes that are theirs, and nobody while all lanes are its own', async () => {
  const stop = new AbortController()
  const sent: string[] = []
  const db = {
    query(text: string, values: unknown[]) {
      sent.push(text)
      return pool.query(text, values)
    },
  } as unknown as pg.Pool
  const running = outbox.createRelay({ db, send: broker.send }).run(stop.signal)
  opened.push(async () => {
    stop.abort()
    await running
  })
  const lanes = `SELECT count(*)::int AS lanes FROM outbox_lanes WHERE relay IS NOT NULL GROUP BY relay`
  const shares = async () => (await pool.query<{ lanes: number }>(lanes)).rows.map((row) => row.lanes)
  await expect.poll(shares, soon).toEqual([64])
  const alone = newEvent('alone')
  await transaction(pool, (tx) => outbox.append(tx, [alone]))
  outbox.wake(db)
  await expect.poll(() => broker.accepted.length, soon).toBe(1)
  expect(sent.filter((text) => text.includes('pg_notify'))).toEqual([])

  const other = startRelay()
  await expect.poll(shares, soon).toEqual([32, 32])
  const isOtherWoken = async () => {
    await other.rested()
    const [renewals, accepted] = [other.renewals(), broker.accepted.length]
    // With so many keys some of them are in the lanes of either.
    const events = Array.from({ length: 50 }, (_, n) => newEvent(`key-${n}`))
    await transaction(pool, (tx) => outbox.append(tx, events))
    outbox.wake(db)
    await expect.poll(() => broker.accepted.length, soon).toBe(accepted + 50)
    return other.renewals() === renewals
  }
  expect(await inOneOfFive(isOtherWoken)).toBe(true)
})

test('the lanes of a relay that stops have another owner at once, not when that one looks again', async () => {
  const [stopping, other] = [startForeignRelay(databaseUrl, broker.send), startRelay()]
  const owners = async () => (await pool.query('SELECT FROM outbox_lanes WHERE relay IS NOT NULL GROUP BY relay')).rows
  await expect.poll(async () => (await owners()).length, soon).toBe(2)
  await other.rested()
  const renewals = other.renewals()
  await expect.poll(other.renewals, soon).toBe(renewals + 1)
  const from = performance.now()
  await stopping.close()
  const owned = `SELECT count(*)::int AS owned FROM outbox_lanes WHERE relay IS NOT NULL`
  await expect.poll(async () => (await pool.query(owned)).rows, soon).toEqual([{ owned: 64 }])
  // It looks each two seconds, and has just looked.
  expect(performance.now() - from).toBeLessThan(1_500)
})

test('many commits at once are few notifications, and none of them is in a transaction of the caller', async () => {
  const sent: string[] = []
  const db = {
    query(text: string, values: unknown[]) {
      sent.push(text)
      return pool.query(text, values)
    },
  }
  const listener = await pool.connect()
  const heard: unknown[] = []
  listener.on('notification', ({ channel }) => heard.push(channel))
  await listener.query('LISTEN outbox_public')
  for (let commit = 0; commit < 1_000; commit++) outbox.wake(db)
  await expect.poll(() => heard, soon).toEqual(['outbox_public', 'outbox_public'])
  expect(sent.length).toBe(2)
  await listener.query('UNLISTEN *')
  listener.release()
})

test('an idle relay sends four statements each two seconds, and a few more rarely: with another one, below five a second', async () => {
  const relay = startRelay()
  await relay.rested()
  await relay.rested()
  const [renewals, before] = [relay.renewals(), relay.statements.length]
  await expect.poll(relay.renewals, soon).toBe(renewals + 2)
  await relay.rested()
  const cycles = relay.renewals() - renewals
  const sent = relay.statements.slice(before)
  const rare = sent.filter((text) => /pg_notify|SET next_attempt_at|DELETE/.test(text))
  expect(sent.length - rare.length).toBe(4 * cycles)
  // Every ten seconds, every five, and every minute.
  expect(rare.length).toBeLessThanOrEqual(4)
})
