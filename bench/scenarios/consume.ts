import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { migrate } from '@product-events/database'
import { freePort, localCredentials, startSqs } from '@product-events/local'
import { connectSqs } from '@product-events/queue'
import { notificationMigrations } from '../../services/notification-service/migrations.ts'
import { MAX_RECEIVERS } from '@product-events/inbox'
import { fillQueue } from '../consume/fill.ts'
import { type PeerOrder, runPeer, SQS_CONSUMER } from '../consume/peer.ts'
import type { Arena, Contestant, Scenario } from '../scenario.ts'
import { query, startBenchServer } from '../server.ts'

const MESSAGES = 20_000
const QUICK_MESSAGES = 3_000

export const scenario: Scenario = {
  name: 'consume',
  title: 'messages from the queue to stored notifications, beside receiving and deleting alone, and sqs-consumer',
  chart: 'messages/s',
  seconds: { prepare: 5, round: 45 },
  async open({ quick, dir }): Promise<Arena> {
    const messages = quick ? QUICK_MESSAGES : MESSAGES
    Object.assign(process.env, localCredentials)
    const server = await startBenchServer(dir)
    let databases = 0

    /** A round on a database and an SQS of its own: the emulator gets slower with what it has been through. */
    const contestant = (name: string, drain: (order: PeerOrder, queueName: string) => Promise<number>): Contestant => ({
      name,
      async round() {
        const databaseUrl = await server.createDatabase(`consume_${++databases}`)
        await migrate(databaseUrl, notificationMigrations)
        const emulator = await startSqs({ port: await freePort() })
        const sqs = connectSqs({
          endpoint: emulator.endpoint,
          region: 'us-east-1',
          requestTimeoutMs: 30_000,
          maxConnections: 16,
        })
        try {
          const queue = await fillQueue(sqs, messages)
          const order = { sqsEndpoint: emulator.endpoint, queueUrl: queue.url, databaseUrl, messages }
          return { 'messages/s': await drain(order, queue.name) }
        } finally {
          sqs.destroy()
          await emulator.stop()
        }
      },
    })

    const contestants = [
      contestant('ours', drainWithService),
      contestant(`${MAX_RECEIVERS} loops that receive and delete`, (order) => runPeer('bare-loops.ts', order)),
    ]
    const installed = existsSync(fileURLToPath(SQS_CONSUMER))
    if (installed) contestants.push(contestant('sqs-consumer', (order) => runPeer('sqs-consumer.ts', order)))
    const skipped = installed ? [] : [{ name: 'sqs-consumer', reason: 'npm run bench:peers installs it' }]
    const settings = { messages, postgresql: server.settings, sqs: 'the emulator, in memory' }
    return { contestants, skipped, settings, close: server.close }
  },
}

/**
 * The service as it is, logging included. Its rate is told by the notifications themselves: from the first to the last.
 */
async function drainWithService(order: PeerOrder, queueName: string): Promise<number> {
  const main = fileURLToPath(new URL('../../services/notification-service/main.ts', import.meta.url))
  const service = spawn(process.execPath, [main], {
    stdio: 'ignore',
    env: {
      ...localCredentials,
      DATABASE_URL: order.databaseUrl,
      AWS_ENDPOINT_URL_SQS: order.sqsEndpoint,
      SQS_QUEUE_NAME: queueName,
      HTTP_PORT: String(await freePort()),
      METRICS_PORT: String(await freePort()),
    },
  })
  const exit = once(service, 'exit')
  try {
    for (;;) {
      // Seldom enough to be no load.
      await sleep(200)
      if (service.exitCode !== null) throw new Error(`notification-service ended with ${service.exitCode}`)
      const [row] = await query<{ stored: number; seconds: number }>(
        order.databaseUrl,
        `SELECT count(*)::int AS stored, extract(epoch FROM max(received_at) - min(received_at))::float8 AS seconds
         FROM notifications`,
      )
      if (row?.stored === order.messages) return order.messages / row.seconds
    }
  } finally {
    service.kill()
    await exit
  }
}
