/** The process: configuration → database → queue and relay → API, with health and metrics from the first moment on. */
import { startOrExit } from '@product-events/process'
import { listen, openService } from '@product-events/process/service'
import { BACKLOG, refuseOtherSites, stopHttpApi } from '@product-events/http-api'
import { createRetentionGauge } from '@product-events/telemetry'
import { buildApp } from './app.ts'
import { readProductServiceConfig } from './config.ts'
import { apiAlone, apiWithRelay } from './descriptions.ts'
import { FORGET_KEYS, keepForgettingKeys } from './forget-keys.ts'
import { logLines } from './log-lines.ts'
import { outbox } from './outbox.ts'
import { measureDatabase, openRelay } from './resources.ts'

/**
 * A stop must end within 10 s: one second of it is for callers to turn elsewhere, and a send in flight may take 5 s.
 */
const CUT_REQUESTS_AFTER_MS = 3_000

await startOrExit(async () => {
  const config = readProductServiceConfig(process.env)
  const service = await openService(config.relay === 'on' ? apiWithRelay : apiAlone, config)
  const { logger, registry, pool, opened, stopping, database, at } = service
  const log = logLines(logger)

  const relay = config.relay === 'on' ? await openRelay(service, config) : measureDatabase(service)
  const succeeded = createRetentionGauge(registry, [FORGET_KEYS])
  const forgetting = keepForgettingKeys(pool, { log, succeeded: () => succeeded(FORGET_KEYS), stopping })
  opened.defer(() => forgetting)
  const app = buildApp({ logger, registry, pool, nudge: () => outbox.wake(pool), access: config.access, database })
  if (config.onlyThisMachine) refuseOtherSites(app)
  opened.defer(() => stopHttpApi(app, CUT_REQUESTS_AFTER_MS))
  const api = await listen(service, app, { ...config, backlog: BACKLOG })
  log.started({ api, ...at, ...(relay.queue !== undefined && { queue: relay.queue }) })
})
