/** The process: configuration → database → queue → relay, with health and metrics from the first moment on. */
import { startOrExit } from '@product-events/process'
import { openService } from '@product-events/process/service'
import { readRelayConfig } from './config.ts'
import { relayAlone } from './descriptions.ts'
import { logLines } from './log-lines.ts'
import { openRelay } from './resources.ts'

await startOrExit(async () => {
  const config = readRelayConfig(process.env)
  const service = await openService(relayAlone, config)
  const { queue } = await openRelay(service, config)
  logLines(service.logger).relayStarted({ ...service.at, queue })
})
