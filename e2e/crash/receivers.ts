import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type pg from 'pg'
import fc from 'fast-check'
import { type Behaviour, behaviours, startHostileReceiver } from '../fuzz/receivers/hostile-receiver.ts'

/** Endpoints beside the well-behaved one. */
const HOSTILE = ['hostile-1', 'hostile-2', 'hostile-3']
/** The endpoint that accepts all that comes. */
const WELL_BEHAVED = 'well-behaved'
/** An endpoint that answers so is disabled for good, and would be hostile no more. */
const DISABLES = /^HTTP\/1\.\d 410/

/** Webhook endpoints: one that accepts everything, and others with any behaviour. */
export interface Receivers {
  /** The variables that send a notification-service to them. */
  variables: Record<string, string>
  /** The event ids that the well-behaved endpoint accepted, in the order in which they came. */
  received: string[]
  /** From now on one of the others behaves in another way, by this seed. */
  misbehave(seed: number): void
  close(): Promise<void>
}

/** Writes the channels' file into `dir`. */
export async function startReceivers(dir: string): Promise<Receivers> {
  const received: string[] = []
  const wellBehaved = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (piece: string) => (body += piece))
    request.on('end', () => {
      received.push((JSON.parse(body) as { data: { event_id: string } }).data.event_id)
      response.writeHead(204).end()
    })
  }).listen(0, '127.0.0.1')
  await once(wellBehaved, 'listening')
  const hostile = await Promise.all(HOSTILE.map(() => startHostileReceiver()))
  const ports = [(wellBehaved.address() as AddressInfo).port, ...hostile.map(({ port }) => port)]
  const webhooks = [WELL_BEHAVED, ...HOSTILE].map((name, index) => ({
    name,
    url: `http://127.0.0.1:${ports[index]}/hook`,
    secret_env: 'WEBHOOK_SECRET',
  }))
  const file = `${dir}/channels.json`
  await writeFile(file, JSON.stringify({ webhooks, allow_hosts: ['127.0.0.1'] }))
  return {
    variables: { CHANNELS_FILE: file, WEBHOOK_SECRET: `whsec_${randomBytes(32).toString('base64')}` },
    received,
    misbehave(seed) {
      const [behaviour] = fc.sample(behaviours.filter(keepsTheEndpoint), { seed, numRuns: 1 })
      if (behaviour) hostile[seed % hostile.length]?.become(behaviour)
    },
    async close() {
      wellBehaved.close()
      wellBehaved.closeAllConnections()
      await Promise.all(hostile.map((receiver) => receiver.close()))
    },
  }
}

function keepsTheEndpoint({ pieces }: Behaviour): boolean {
  return !DISABLES.test(pieces.join(''))
}

/** Deliveries to the well-behaved endpoint that are still under way. */
export async function countUnderWay(notifications: pg.Pool): Promise<number> {
  const { rows } = await notifications.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM public.events
     WHERE headers->>'endpoint' = $1 AND status IN ('pending', 'failed')`,
    [WELL_BEHAVED],
  )
  return rows[0]?.count ?? 0
}

/** Deliveries that the others never take would be retried for a day, and fill the rounds that follow. */
export async function forgetHostile(notifications: pg.Pool): Promise<void> {
  await notifications.query(`DELETE FROM public.events WHERE headers->>'endpoint' <> $1 AND status <> 'processed'`, [
    WELL_BEHAVED,
  ])
}
