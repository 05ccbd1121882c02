import { randomUUIDv7, type UUID } from 'node:crypto'
import { connect } from '@product-events/database'
import { dropDatabase, freshDatabase } from '@product-events/local'
import { outboxMigrations } from '@product-events/outbox'
import { Registry } from '@product-events/telemetry'
import { recordLog } from '../../../../packages/telemetry/testing/log.ts'
import { notificationMigrations } from '../../migrations.ts'
import { notificationOf } from '../../notifications/notification.ts'
import { testEvent } from '../../testing/consumer.ts'
import type { ChannelsConfig } from '../config.ts'
import type { Resolve } from '../resolve.ts'
import { channelLogLines } from '../log-lines.ts'
import { type Channels, startChannels } from '../start-channels.ts'
import { storeWithDeliveries } from '../store-with-deliveries.ts'
import { newSecret } from './receivers.ts'

/** A webhook of that name on this machine, which a test has to allow. */
export function localWebhook(name: string, port: number, secret = newSecret()) {
  return { name, url: new URL(`http://127.0.0.1:${port}/hook`), secrets: [secret] }
}

export type TestChannels = Awaited<ReturnType<typeof testChannels>>

/** Channels on a database of their own, with what a test asks about them. `resolve` replaces the system's names. */
export async function testChannels(postgresUrl: string, config: Partial<ChannelsConfig>, resolve?: Resolve) {
  const databaseUrl = await freshDatabase(postgresUrl, outboxMigrations, notificationMigrations)
  const pool = connect({ databaseUrl, applicationName: 'test', maxConnections: 10, onIdleError: () => {} })
  const { logger, logs } = recordLog('debug')
  const log = channelLogLines(logger)
  const registry = new Registry()
  const channels: Channels = startChannels(
    { webhooks: [], email: undefined, allowHosts: new Set(['127.0.0.1']), ...config },
    { pool, registry, log, ...(resolve && { resolve }) },
  )
  let stopped: Promise<void> | undefined

  return {
    pool,
    logged: (text: string) => logs.filter((line) => String(line.msg).startsWith(text)),

    /** Stores notifications of these products, one after the other, sequence by sequence. Returns the events' ids. */
    async notify(products: readonly UUID[], sequences: readonly number[] = [1], name = 'Mug'): Promise<string[]> {
      const ids: string[] = []
      for (const sequence of sequences) {
        const notifications = products.map((productId) =>
          notificationOf(testEvent('product.updated', { productId, sequence, name })),
        )
        await storeWithDeliveries(pool, notifications, channels.outgoing)
        ids.push(...notifications.map((notification) => notification.event_id))
      }
      return ids
    },

    /** Deliveries in the outbox: how many of which endpoint or recipient have which status. */
    async statuses(): Promise<Record<string, number>> {
      const { rows } = await pool.query<{ name: string; count: number }>(
        `SELECT coalesce(headers->>'recipient', headers->>'endpoint') || ' ' || status AS name, count(*)::int FROM events GROUP BY 1 ORDER BY 1`,
      )
      return Object.fromEntries(rows.map(({ name, count }) => [name, count]))
    },

    async errors(): Promise<(string | null)[]> {
      const { rows } = await pool.query<{ last_error: string | null }>('SELECT last_error FROM events ORDER BY id')
      return rows.map((row) => row.last_error)
    },

    async metric(name: string): Promise<string[]> {
      return (await registry.metrics()).split('\n').filter((line) => line.startsWith(name) && !line.endsWith(' 0'))
    },

    /** Ends the relay and the tries under way, as the process does. */
    stop: () => (stopped ??= channels.stop()),

    close: async (): Promise<void> => {
      await (stopped ??= channels.stop())
      await pool.end()
      await dropDatabase(databaseUrl)
    },
  }
}

export function newProducts(count: number): UUID[] {
  return Array.from({ length: count }, () => randomUUIDv7())
}
