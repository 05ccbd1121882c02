import { describePortError, startOrExit } from '@product-events/process'
import { describeDatabase } from '@product-events/database'
import { BACKLOG, refuseOtherSites, stopHttpApi } from '@product-events/http-api'
import { createLogger } from '@product-events/telemetry'
import { buildApp } from './app.ts'
import { readProductServiceConfig } from './config.ts'
import { startForgettingKeys } from './forget-keys.ts'
import { logLines } from './log-lines.ts'
import { startRelay } from './relay.ts'
import { closeResourcesOnSignal, openResources } from './resources.ts'

/** A stop must end within 10 s: one second of it is for callers to turn elsewhere, and a send under way may take 5 s. */
const CUT_REQUESTS_AFTER_MS = 3_000

const stopping = new AbortController()
/** What was opened, closed in the opposite order. */
const opened = new AsyncDisposableStack()

await startOrExit(start, stopping.signal)

async function start(): Promise<void> {
  const config = readProductServiceConfig(process.env)
  const logger = createLogger('product-service', config.logLevel)
  closeResourcesOnSignal(logger, opened, stopping)

  const resources = await openResources('product-service', config, logger, opened, stopping.signal, ['api'])
  const nudge = startRelay(resources, config, logger, opened)
  startForgettingKeys(resources.pool, opened)
  const app = buildApp({ logger, registry: resources.registry, pool: resources.pool, nudge, access: config.access })
  if (config.onlyThisMachine) refuseOtherSites(app)
  opened.defer(() => stopHttpApi(app, CUT_REQUESTS_AFTER_MS))
  const api = await app.listen({ host: config.host, port: config.httpPort, backlog: BACKLOG }).catch((error: Error) => {
    throw describePortError(error, 'the API of product-service', config.httpPort, 'HTTP_PORT')
  })
  resources.readiness.found('api')
  logLines.started(logger, {
    api,
    operations: resources.operations,
    database: describeDatabase(config.databaseUrl),
    queue: resources.queue.url,
  })
}
