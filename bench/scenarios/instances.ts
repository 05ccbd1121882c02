import { freePort, freshQueue, localCredentials, startSqs } from '@product-events/local'
import { pgbouncer, startPgBouncer } from '../../packages/outbox/testing/pgbouncer.ts'
import { createAtRate } from '../http/at-rate.ts'
import { load } from '../http/load.ts'
import { commitToAccepted } from '../instances/delays.ts'
import { type OurProcess, startOurs } from '../processes/ours.ts'
import type { Arena, Contestant, Figures, Scenario, Skipped } from '../scenario.ts'
import { type BenchServer, query, startBenchServer } from '../server.ts'
import { quantile } from '../statistics.ts'

const RATE = 100
const SECONDS = 10
const CONNECTIONS = 64
const CREATING_SECONDS = 3
/** More than the 64 connections' statements under way, less than all pools of four instances. */
const POOLER_CONNECTIONS = 20
const BODY = JSON.stringify({ name: 'Green tea', price: 4.5 })

/** Some processes on a database and a queue of their own. */
interface Group {
  name: string
  services: number
  /** Relays in processes of their own; the services then have none. */
  relays?: number
  pooler?: boolean
  /** A role that may not notify: its relays are woken for commits of their own process only, and poll. */
  wakeUps?: 'off'
}

const groups: Group[] = [
  { name: '1 instance', services: 1 },
  { name: '2 instances', services: 2 },
  { name: '4 instances', services: 4 },
  { name: 'a relay of its own', services: 1, relays: 1 },
  { name: '2 instances, PgBouncer', services: 2, pooler: true },
  { name: '2 instances, no wake-ups', services: 2, wakeUps: 'off' },
  { name: '4 instances, no wake-ups', services: 4, wakeUps: 'off' },
]

export const scenario: Scenario = {
  name: 'instances',
  title: 'from the commit to accepted by SQS at 100 changes/s, and creations of 64 connections, with several instances',
  chart: 'to accepted p99 ms',
  seconds: { prepare: 40, round: 170 },
  async open({ quick, dir, say }): Promise<Arena> {
    Object.assign(process.env, localCredentials)
    const server = await startBenchServer(dir, { track_commit_timestamp: 'on' })
    const emulator = await startSqs({ port: await freePort() })
    const [seconds, creating] = quick ? [2, 1] : [SECONDS, CREATING_SECONDS]
    const contestants: Contestant[] = []
    const skipped: Skipped[] = []
    const closing: (() => Promise<unknown>)[] = []
    for (const [index, group] of groups.entries()) {
      if (group.pooler && pgbouncer === undefined) {
        skipped.push({ name: group.name, reason: 'install pgbouncer' })
        continue
      }
      say(`starting ${group.name}`)
      const databaseUrl = await createDatabase(server, `instances_${index}`, group)
      const { sqs, queue, name: queueName } = await queueOf(emulator.endpoint)
      const started = await startGroup(group, databaseUrl, { sqsEndpoint: emulator.endpoint, queueName })
      closing.push(started.stop)
      const measure = async (urls: string[]): Promise<Figures> => {
        const created = await createAtRate(urls, RATE, seconds)
        const delays = await commitToAccepted(created, { databaseUrl, sqs, queueUrl: queue.url })
        const each = { connections: CONNECTIONS / urls.length, seconds: creating, body: BODY }
        const rates = await Promise.all(urls.map((url) => load({ url: `${url}/products`, ...each })))
        await untilAllSent(databaseUrl)
        await commitToAccepted([], { databaseUrl, sqs, queueUrl: queue.url })
        return {
          'to accepted p50 ms': quantile(delays, 0.5),
          'to accepted p99 ms': quantile(delays, 0.99),
          'creates/s of 64': rates.reduce((sum, figures) => sum + (figures['requests/s'] ?? NaN), 0),
        }
      }
      const { urls } = started
      await createAtRate(urls, RATE, 1)
      await untilAllSent(databaseUrl)
      await commitToAccepted([], { databaseUrl, sqs, queueUrl: queue.url })
      contestants.push({
        name: urls.length > 1 ? `${group.name}, writes to all` : group.name,
        round: () => measure(urls),
      })
      if (urls.length > 1 && group.wakeUps === undefined)
        contestants.push({ name: `${group.name}, writes to one`, round: () => measure(urls.slice(0, 1)) })
    }
    return {
      contestants,
      skipped,
      settings: { rate: RATE, seconds, creating, postgresql: server.settings, sqs: 'the emulator, in memory' },
      async close() {
        for (const close of closing.toReversed()) await close()
        await emulator.stop()
        await server.close()
      },
    }
  },
}

async function queueOf(endpoint: string) {
  const { sqs, queue } = await freshQueue(endpoint)
  return { sqs, queue, name: queue.url.split('/').at(-1) ?? '' }
}

async function createDatabase(server: BenchServer, name: string, { wakeUps }: Group): Promise<string> {
  const url = await server.createDatabase(name)
  if (wakeUps !== 'off') return url
  await query(url, `CREATE ROLE ${name} LOGIN`)
  await query(url, `ALTER DATABASE ${name} OWNER TO ${name}`)
  await query(url, `REVOKE EXECUTE ON FUNCTION pg_notify FROM public`)
  return Object.assign(new URL(url), { username: name }).href
}

interface StartedGroup {
  urls: string[]
  stop(): Promise<void>
}

async function startGroup(
  { services, relays = 0, pooler }: Group,
  databaseUrl: string,
  queue: { sqsEndpoint: string; queueName: string },
): Promise<StartedGroup> {
  const proxy = pooler
    ? await startPgBouncer(databaseUrl, { ignore: [], settings: `pool_size=${POOLER_CONNECTIONS}` })
    : undefined
  const ground = { ...queue, databaseUrl: proxy?.url ?? databaseUrl }
  const started: OurProcess[] = []
  const variables = relays > 0 ? { OUTBOX_RELAY: 'off' } : {}
  for (let n = 0; n < services; n++) started.push(await startOurs('product-service', { ...ground, variables }))
  const urls = started.map(({ url }) => url)
  for (let n = 0; n < relays; n++) started.push(await startOurs('relay', ground))
  await untilShared(databaseUrl, relays || services)
  return {
    urls,
    async stop() {
      await Promise.all(started.map((process) => process.stop()))
      await proxy?.stop()
    },
  }
}

/** Until so many relays share the lanes. */
async function untilShared(databaseUrl: string, relays: number): Promise<void> {
  const lanes = `SELECT count(*)::int AS lanes FROM outbox_lanes WHERE relay IS NOT NULL GROUP BY relay`
  await until(async () => {
    const shares = await query<{ lanes: number }>(databaseUrl, lanes)
    return shares.length === relays && shares.every((share) => share.lanes === 64 / relays)
  })
}

async function untilAllSent(databaseUrl: string): Promise<void> {
  const left = `SELECT count(*)::int AS left FROM events WHERE status = 'pending'`
  await until(async () => (await query<{ left: number }>(databaseUrl, left))[0]?.left === 0)
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50))
}
