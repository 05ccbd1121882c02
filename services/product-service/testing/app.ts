import { setTimeout as sleep } from 'node:timers/promises'
import type { Product } from '@product-events/contracts'
import type { TokenIssuer } from '@product-events/process'
import { connect } from '@product-events/database'
import type { HttpApi } from '@product-events/http-api'
import type pg from 'pg'
import { createRegistry, type Registry } from '@product-events/telemetry'
import { outboxMigrations } from '@product-events/outbox'
import { recordLog } from '../../../packages/telemetry/testing/log.ts'
import { buildApp } from '../app.ts'
import { productMigrations } from '../migrations.ts'

/** What `freshDatabase` needs for this service. */
export const migrations = [outboxMigrations, productMigrations]

export interface TestApp {
  databaseUrl: string
  app: HttpApi
  pool: pg.Pool
  registry: Registry
  /** The lines that were logged, parsed. */
  logs: Record<string, unknown>[]
  nudges: () => number
  close: () => Promise<void>
}

/** The whole app on a real database, with its log and its nudges to look at. */
export function openTestApp(databaseUrl: string, access?: TokenIssuer): TestApp {
  const { logger, logs } = recordLog()
  const pool = connect({ databaseUrl, applicationName: 'test', maxConnections: 5, onIdleError: () => {} })
  const registry = createRegistry()
  let nudges = 0
  const app = buildApp({ logger, registry, pool, nudge: () => nudges++, access })
  const close = async () => {
    await app.close()
    await pool.end()
  }
  return { databaseUrl, app, pool, registry, logs, nudges: () => nudges, close }
}

export interface Page {
  products: Product[]
  next_page_token: string | null
}

export async function create(app: HttpApi, body: object): Promise<Product> {
  const answer = await app.inject({ method: 'POST', url: '/products', body })
  if (answer.statusCode !== 201) throw new Error(`POST /products answered ${answer.statusCode}: ${answer.body}`)
  return answer.json<Product>()
}

/** Many that ask again without a pause would keep the machine busy themselves. */
const ASK_AGAIN_MS = 250

/** As a client would: what has to wait too long on a slow machine is answered with 503, and asked for again. */
export async function untilAnswered<Answer extends { statusCode: number }>(
  ask: () => Promise<Answer>,
): Promise<Answer> {
  for (;;) {
    const answer = await ask()
    if (answer.statusCode !== 503) return answer
    await sleep(ASK_AGAIN_MS)
  }
}
