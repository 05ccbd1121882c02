/** The relay alone, for whoever wants more of them, or wants them apart from the API. They share the work by themselves. */
import closeWithGrace from 'close-with-grace'
import { startOrExit } from 'configuration'
import { describeDatabase } from 'database'
import { createLogger } from 'telemetry'
import { readRelayConfig } from './config.ts'
import { logLines } from './log-lines.ts'
import { startRelay } from './relay.ts'
import { openResources } from './resources.ts'

/** A stop must end within 10 s; a send under way has 5 of them. */
const STOP_TIMEOUT_MS = 9_500

const stopping = new AbortController()
/** What was opened, closed in the opposite order. */
const opened = new AsyncDisposableStack()

await startOrExit(start, stopping.signal)

async function start(): Promise<void> {
  const config = readRelayConfig(process.env)
  const logger = createLogger('relay', config.logLevel)
  closeWithGrace({ delay: STOP_TIMEOUT_MS, logger: false }, async ({ signal, err }) => {
    if (err) logLines.crashed(logger, err)
    else logLines.stopping(logger, signal)
    stopping.abort()
    await opened.disposeAsync()
    logLines.stopped(logger)
  })

  const resources = await openResources('relay', config, logger, opened, stopping.signal)
  startRelay(resources, config, logger, opened)
  logLines.relayStarted(logger, {
    operations: resources.operations,
    database: describeDatabase(config.databaseUrl),
    queue: resources.queue.url,
  })
}
