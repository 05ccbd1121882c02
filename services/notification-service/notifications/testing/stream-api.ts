import { connect } from '@product-events/database'
import { dropDatabase, freshDatabase } from '@product-events/local'
import type { TokenIssuer } from '@product-events/process'
import { createRegistry } from '@product-events/telemetry'
import { pgListen } from '@product-events/wake-ups/pg'
import type pg from 'pg'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, inject } from 'vitest'
import { buildApp } from '../../app.ts'
import { logLines } from '../../log-lines.ts'
import { notificationMigrations } from '../../migrations.ts'
import { testEvent } from '../../testing/consumer.ts'
import { notificationOf } from '../notification.ts'
import { storeNotifications } from '../store.ts'
import { createWakeUps } from '../wake-ups.ts'
import { readStream, type StreamReader } from './stream.ts'

export const soon = { timeout: 50_000, interval: 10 }

export interface ApiOptions {
  heartbeatMs?: number
  access?: TokenIssuer
  /** Instead of the test's own. */
  databaseUrl?: string
  /** With wake-ups, as in the process. */
  wakeUps?: boolean
}

/** A database for each test, and instances of the service's API on it. What a test opens is closed in reverse. */
export function streamTests() {
  let databaseUrl: string
  let pool: pg.Pool
  const opened: (() => unknown)[] = []
  beforeEach(async () => {
    databaseUrl = await freshDatabase(inject('postgresUrl'), notificationMigrations)
    pool = connect({ databaseUrl, applicationName: 'test', maxConnections: 5, onIdleError: () => {} })
  })
  afterEach(async () => {
    for (const close of opened.splice(0).toReversed()) await close()
    await pool.end()
    await dropDatabase(databaseUrl)
  })

  return {
    opened,
    query: (sql: string) => pool.query<Record<string, unknown>>(sql),
    queryWith: (sql: string, values: unknown[]) => pool.query<Record<string, unknown>>(sql, values),
    databaseName: () => new URL(databaseUrl).pathname.slice(1),

    /** An instance of the service's API, listening, with a pool of its own. */
    async startApi(options: ApiOptions = {}) {
      const { heartbeatMs = 60_000, access } = options
      const url = options.databaseUrl ?? databaseUrl
      const lines: string[] = []
      const logger = pino({ level: 'info' }, { write: (line) => void lines.push(line) })
      const own = connect({ databaseUrl: url, applicationName: 'api', maxConnections: 10, onIdleError: () => {} })
      const stop = new AbortController()
      const wakeUps = options.wakeUps
        ? createWakeUps({ pool: own, listen: pgListen({ connectionString: url }), signal: stop.signal })
        : undefined
      const log = logLines(logger)
      const app = buildApp({
        pool: own,
        logger,
        log,
        registry: createRegistry(),
        access,
        heartbeatMs,
        ...(wakeUps && { wakeUps }),
      })
      const address = await app.listen({ host: '127.0.0.1', port: 0 })
      let closed: Promise<void> | undefined
      const close = () => (closed ??= end())
      async function end(): Promise<void> {
        stop.abort()
        await Promise.all([app.close(), wakeUps?.ended])
        await own.end()
      }
      opened.push(close)
      return { url: address, close, wakeUps, logged: (text: string) => lines.filter((line) => line.includes(text)) }
    },

    async read(url: string, options: { lastEventId?: string; query?: string } = {}): Promise<StreamReader> {
      const reader = await readStream(url, options)
      opened.push(() => reader.close())
      // Its first block: from here on it misses nothing.
      await expect.poll(() => reader.retryMs(), soon).toBe(2000)
      return reader
    },

    /** Stores notifications of so many events and returns their ids. */
    async store(count: number, event = () => testEvent()): Promise<string[]> {
      const notifications = Array.from({ length: count }, () => notificationOf(event()))
      await storeNotifications(pool, notifications)
      return notifications.map((notification) => notification.id)
    },
  }
}
