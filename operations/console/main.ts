/** `npm run console`: where is my event, and what needs an operator? On port 8084. */
import { closeOnSignal, describePortError, startOrExit } from '@product-events/process'
import { describeDatabase } from '@product-events/database'
import { BACKLOG, stopHttpApi } from '@product-events/http-api'
import { createLogger, createRegistry } from '@product-events/telemetry'
import { buildApp } from './app.ts'
import { readConsoleConfig } from './config.ts'
import { migrateWhenUp } from './migrate-when-up.ts'
import { createRunner } from './actions/run.ts'
import { createNeedsReader } from './needs/needs.ts'
import { openPlaces } from './places.ts'
import { readPage } from './page-files.ts'
import { watchPlaces } from './watch/watch-places.ts'
import { linksTo } from './links.ts'

/** An open stream is cut with the page's connection; a page that was asked for is there within milliseconds. */
const CUT_REQUESTS_AFTER_MS = 2_000

const stopping = new AbortController()
/** Closed in the opposite order. */
const opened = new AsyncDisposableStack()

await startOrExit(start)

async function start(): Promise<void> {
  const config = readConsoleConfig(process.env)
  const logger = createLogger('console', config.logLevel)
  closeOnSignal({
    async close() {
      stopping.abort()
      await opened.disposeAsync()
    },
    onSignal: (signal) => logger.info({ signal }, 'stopping'),
    onCrash: (error) => logger.fatal({ err: error }, 'crashed: a bug'),
    onClosed: () => logger.info('stopped'),
  })
  // Node would print it, and not as JSON.
  process.removeAllListeners('warning').on('warning', ({ name, message: reason }) => {
    if (name !== 'ExperimentalWarning') logger.warn({ reason }, 'Node reports a warning')
  })
  const registry = createRegistry()
  const places = openPlaces(config, opened)
  const { products, notifications, queues } = places
  const needs = createNeedsReader(places)
  const runner = createRunner(places, needs, logger)
  opened.defer(() => runner.stop())
  const watch = watchPlaces(places, config.instances)
  const finding = { products, notifications, queues, links: linksTo(config) }
  const page = await readPage()
  const { access, controlUrl } = config
  const app = buildApp({ logger, registry, page, watch, access, controlUrl, places, needs, runner, finding })
  opened.defer(() => stopHttpApi(app, CUT_REQUESTS_AFTER_MS))
  const address = await app.listen({ host: config.host, port: config.port, backlog: BACKLOG }).catch((error: Error) => {
    throw describePortError(error, 'the console', config.port, 'HTTP_PORT')
  })
  logger.info({ console: address, database: describeDatabase(config.productsUrl) }, 'started')
  // Not awaited: the console is needed most while the database is unreachable.
  void watch.warmUp()
  void migrateWhenUp(config, products, logger, stopping.signal)
}
