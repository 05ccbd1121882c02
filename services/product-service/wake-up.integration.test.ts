import { freePort } from '@product-events/local'
import pg from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { environment, ready, type Service, start } from './testing/process.ts'

/** A process starts within a second on a quiet machine. */
vi.setConfig({ testTimeout: 120_000 })

/** A relay polls often for two seconds after a poll that found something. */
const FREQUENT_POLLS_END_MS = 3_000
const soon = { timeout: 60_000, interval: 5 }

async function startRelay(of: Record<string, string>): Promise<Service> {
  const relay = start({ ...of, METRICS_PORT: String(await freePort()) }, 'relay-main.ts')
  await vi.waitFor(() => expect(relay.stdout()).toContain('relay is ready'), soon)
  return relay
}

async function openDatabase(url = ''): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

/**
 * The relay that owns the lane of the event of a product, when that relay renewed its lease, and whether the event is
 * published.
 */
async function eventOf(db: pg.Client, product: string): Promise<{ name: string; renewal: string; status: string }> {
  const { rows } = await db.query<{ name: string; renewal: string; status: string }>(
    `SELECT outbox_relays.name, outbox_relays.xmin::text AS renewal, events.status
     FROM events JOIN outbox_lanes USING (lane) JOIN outbox_relays ON outbox_relays.id = outbox_lanes.relay
     WHERE events.key = $1`,
    [product],
  )
  return rows[0]!
}

/**
 * Creates a product and resolves, once it is published, with its relay, and with whether that was woken: it did not
 * renew its lease meanwhile.
 */
async function createAndWait(service: Service, db: pg.Client): Promise<{ name: string; woken: boolean }> {
  const answer = await fetch(`${service.api}/products`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Tea', price: 1 }),
  })
  expect(answer.status).toBe(201)
  const { id } = (await answer.json()) as { id: string }
  const { name, renewal } = await eventOf(db, id)
  await expect.poll(async () => (await eventOf(db, id)).status, soon).toBe('processed')
  return { name, woken: (await eventOf(db, id)).renewal === renewal }
}

/** Until all lanes are shared out among so many relays, and each of them hears wake-ups. */
async function untilRelaysListen(db: pg.Client, relays: number): Promise<void> {
  const shares = `SELECT count(*)::int AS lanes FROM outbox_lanes WHERE relay IS NOT NULL GROUP BY relay`
  await expect
    .poll(async () => (await db.query(shares)).rows, soon)
    .toEqual(Array.from({ length: relays }, () => ({ lanes: 64 / relays })))
  const listeners = `SELECT application_name FROM pg_stat_activity
                     WHERE application_name LIKE '% wake-ups' AND datname = current_database() AND query LIKE 'LISTEN%'`
  await expect.poll(async () => (await db.query(listeners)).rows.length, soon).toBe(relays)
}

test('with OUTBOX_RELAY=off a commit wakes the relay in the other process', async () => {
  const variables = await environment()
  const service = start({ ...variables, OUTBOX_RELAY: 'off' })
  await ready(service)
  await startRelay(variables)
  const db = await openDatabase(variables.DATABASE_URL)
  await untilRelaysListen(db, 1)
  // One try may meet the poll of every two seconds by chance.
  await expect
    .poll(async () => (await createAndWait(service, db)).woken, { timeout: 60_000, interval: FREQUENT_POLLS_END_MS })
    .toBe(true)
})

test('a service with a relay wakes the relay of another process for the lanes of that one', async () => {
  const variables = await environment()
  const service = start(variables)
  await ready(service)
  const relay = await startRelay(variables)
  const db = await openDatabase(variables.DATABASE_URL)
  await untilRelaysListen(db, 2)
  const ofOther = async () => {
    const { name, woken } = await createAndWait(service, db)
    const isOther = name.endsWith(`:${relay.process.pid}`)
    // It met the poll. After that polls are frequent, and would be taken for wake-ups.
    if (isOther && !woken) await sleep(FREQUENT_POLLS_END_MS)
    return isOther && woken
  }
  await expect.poll(ofOther, { timeout: 60_000, interval: 10 }).toBe(true)
})
