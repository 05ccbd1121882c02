import { freePort, localCredentials, startSqs } from '@product-events/local'
import { createAtRate } from '../http/at-rate.ts'
import { cpuMs } from '../processes/cpu.ts'
import { tellsMemory } from '../processes/memory.ts'
import { startOurs } from '../processes/ours.ts'
import type { Arena, Figures, Scenario } from '../scenario.ts'
import { query, startBenchServer } from '../server.ts'

/** Changes a second: a quiet day, a busy one, and what needs most of two cores. */
const RATES = [10, 100, 1000]
const SECONDS = 20
const QUICK_SECONDS = 5

export const scenario: Scenario = {
  name: 'cost',
  title: 'processor time of each process and of PostgreSQL for each change, from the request to the notification',
  chart: 'all ms',
  seconds: { prepare: 10, round: 65 },
  async open({ quick, dir, say }): Promise<Arena> {
    Object.assign(process.env, localCredentials)
    const server = await startBenchServer(dir)
    const sqs = await startSqs({ port: await freePort() })
    const ground = { sqsEndpoint: sqs.endpoint, queueName: 'cost' }
    const [products, notifications] = [
      await server.createDatabase('products'),
      await server.createDatabase('notifications'),
    ]
    const service = await startOurs('product-service', { ...ground, databaseUrl: products })
    const consumer = await startOurs('notification-service', { ...ground, databaseUrl: notifications })
    const postmaster = await postmasterOf(server.postgres.url)
    say('both services are ready')
    const seconds = quick ? QUICK_SECONDS : SECONDS

    async function measure(rate: number, forSeconds: number): Promise<Figures> {
      const before = await usage()
      const changes = (await createAtRate([service.url], rate, forSeconds)).length
      await untilStored(notifications, products)
      const after = await usage()
      const each = (name: keyof typeof after) => (after[name] - before[name]) / changes
      const figures = { product: each('product'), notification: each('notification'), postgresql: each('postgresql') }
      return {
        'all ms': figures.product + figures.notification + figures.postgresql,
        'product-service ms': figures.product,
        'notification-service ms': figures.notification,
        'PostgreSQL ms': figures.postgresql,
      }
    }
    const usage = async () => ({
      product: await cpuMs(service.pid),
      notification: await cpuMs(consumer.pid),
      postgresql: await cpuMs(postmaster),
    })
    await measure(100, 2)
    const contestants = RATES.map((rate) => ({ name: `${rate} changes/s`, round: () => measure(rate, seconds) }))
    return {
      contestants: tellsMemory ? contestants : [],
      skipped: tellsMemory ? [] : [{ name: 'processor time', reason: 'only Linux tells it' }],
      settings: { seconds, postgresql: server.settings, sqs: 'the emulator, in memory, not counted', logLevel: 'info' },
      async close() {
        for (const part of [service, consumer, sqs]) await part.stop()
        await server.close()
      },
    }
  },
}

/** The process that started all others of the server. */
async function postmasterOf(url: string): Promise<number> {
  const [row] = await query<{ pid: number }>(
    `${url}/postgres`,
    `SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int AS pid`,
  )
  return row?.pid ?? NaN
}

async function untilStored(notifications: string, products: string): Promise<void> {
  const count = async (url: string, table: string) =>
    (await query<{ count: number }>(url, `SELECT count(*)::int FROM ${table}`))[0]?.count
  while ((await count(notifications, 'notifications')) !== (await count(products, 'events'))) {
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
