/** The relay alone, for whoever wants more of them, or wants them apart from the API. They share the work by themselves. */
import { startOrExit } from '@product-events/process'
import { describeDatabase } from '@product-events/database'
import { createLogger } from '@product-events/telemetry'
import { readRelayConfig } from './config.ts'
import { logLines } from './log-lines.ts'
import { startRelay } from './relay.ts'
import { closeResourcesOnSignal, openResources } from './resources.ts'

const stopping = new AbortController()
/** What was opened, closed in the opposite order. */
const opened = new AsyncDisposableStack()

await startOrExit(start, stopping.signal)

async function start(): Promise<void> {
  const config = readRelayConfig(process.env)
  const logger = createLogger('relay', config.logLevel)
  closeResourcesOnSignal(logger, opened, stopping)

  const resources = await openResources('relay', config, logger, opened, stopping.signal)
  startRelay(resources, config, logger, opened)
  logLines.relayStarted(logger, {
    operations: resources.operations,
    database: describeDatabase(config.databaseUrl),
    queue: resources.queue.url,
  })
}
