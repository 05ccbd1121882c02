import { setTimeout as sleep } from 'node:timers/promises'
import {
  freePort,
  localCredentials,
  type Part,
  type ServiceName,
  startService,
  startSqs,
  untilReady,
} from '@product-events/local'
import { createAtRate } from '../http/at-rate.ts'
import type { Arena, Figures, Scenario } from '../scenario.ts'
import { query, startBenchServer } from '../server.ts'

/** Changes a second: a quiet day, a busy one, and more than two cores have to spare. */
const RATES = [10, 100, 1000]
const SECONDS = 10
const QUICK_SECONDS = 2

export const scenario: Scenario = {
  name: 'path',
  title: 'from the request, and from the time of the event, to the stored notification, at rates of changes a second',
  chart: 'request p99 ms',
  seconds: { prepare: 8, round: 31 },
  async open({ quick, dir, say }): Promise<Arena> {
    Object.assign(process.env, localCredentials)
    const server = await startBenchServer(dir)
    const sqs = await startSqs({ port: await freePort() })
    const parts: Part[] = []
    const start = async (name: ServiceName, database: string) => {
      const [httpPort, metricsPort] = [await freePort(), await freePort()]
      const databaseUrl = await server.createDatabase(database)
      const options = { databaseUrl, sqsEndpoint: sqs.endpoint, queueName: 'bench', httpPort, metricsPort }
      const part = startService(name, { ...options, logLevel: 'info', onLine: () => {} })
      parts.push(part)
      await untilReady(part, metricsPort)
      return { url: `http://127.0.0.1:${httpPort}`, databaseUrl }
    }
    const products = await start('product-service', 'products')
    const notifications = await start('notification-service', 'notifications')
    say('both services are ready')
    await measure(products.url, notifications.databaseUrl, 100, 1)

    const seconds = quick ? QUICK_SECONDS : SECONDS
    return {
      contestants: RATES.map((rate) => ({
        name: `${rate} changes/s`,
        round: () => measure(products.url, notifications.databaseUrl, rate, seconds),
      })),
      skipped: [],
      settings: { seconds, postgresql: server.settings, sqs: 'the emulator, in memory', logLevel: 'info' },
      async close() {
        for (const part of [...parts, sqs]) await part.stop()
        await server.close()
      },
    }
  },
}

/** Sends requests when they are due, whether those before are answered or not, and asks the database how it went. */
async function measure(url: string, databaseUrl: string, rate: number, seconds: number): Promise<Figures> {
  const sent = await createAtRate([url], rate, seconds)
  const count = sent.length
  const [ids, times] = [sent.map((one) => one.id), sent.map((one) => one.at)]
  for (;;) {
    const [row] = await query<Figures & { stored: number }>(databaseUrl, DELAYS, [ids, times])
    if (row?.stored === count) {
      const { stored: _, ...figures } = row
      return figures
    }
    await sleep(50)
  }
}

const DELAYS = `
  WITH delay AS (
    SELECT extract(epoch FROM received_at) * 1000 - sent_at AS whole,
           extract(epoch FROM received_at - occurred_at) * 1000 AS event
    FROM notifications JOIN unnest($1::uuid[], $2::float8[]) AS sent (product_id, sent_at) USING (product_id)
  )
  SELECT count(*)::int AS stored,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY event)::float8 AS "event p50 ms",
         percentile_cont(0.99) WITHIN GROUP (ORDER BY event)::float8 AS "event p99 ms",
         percentile_cont(0.5) WITHIN GROUP (ORDER BY whole)::float8 AS "request p50 ms",
         percentile_cont(0.99) WITHIN GROUP (ORDER BY whole)::float8 AS "request p99 ms"
  FROM delay`
