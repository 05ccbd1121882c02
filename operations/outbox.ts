/** `npm run outbox`: status, list, show, redrive, prune. `--help` tells. */
import { connectionConfig } from '@product-events/database'
import { neverAcceptedBySqs, outboxCommand } from '@product-events/outbox/command'
import { runProcess } from '@product-events/terminal'
import { readDatabasesConfig, readStackConfig, services } from './config.ts'
import { sayWhichStack } from './which-stack.ts'

await runProcess('outbox', (terminal) =>
  outboxCommand({
    terminal,
    services,
    database(service) {
      sayWhichStack(readStackConfig(process.env), terminal)
      const { urls, credentials } = readDatabasesConfig(process.env)
      const url = urls[service]
      return { url, config: connectionConfig(url, credentials) }
    },
    // A webhook or a mail has no limit of size that is known here.
    neverAccepts: (service) => (service === 'product-service' ? neverAcceptedBySqs : () => undefined),
  }),
)
