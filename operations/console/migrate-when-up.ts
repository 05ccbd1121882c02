import { setTimeout as sleep } from 'node:timers/promises'
import { type Credentials, migrateDatabase } from '@product-events/database'
import type { Logger } from '@product-events/telemetry'
import type pg from 'pg'
import { stopUnfinished } from './actions/record.ts'
import { consoleMigrations } from './migrations.ts'

const RETRY_MS = 2_000

/** Makes the audit table once PostgreSQL is there, unless MIGRATE=off. Never rejects. */
export async function migrateWhenUp(
  { productsUrl, credentials, migrates }: { productsUrl: string; credentials: Credentials; migrates: boolean },
  products: pg.Pool,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  let told = false
  while (!signal.aborted) {
    try {
      if (migrates) await migrateDatabase({ databaseUrl: productsUrl, credentials, sets: [consoleMigrations], signal })
      await stopUnfinished(products)
      return
    } catch (error) {
      if (!told)
        logger.warn({ reason: (error as Error).message }, 'the audit table is not there yet: retrying every 2 s')
      told = true
    }
    await sleep(RETRY_MS, undefined, { signal }).catch(() => {})
  }
}
