/** `npm run outbox -- …`: looks into a service's outbox and sends again what died there. `--help` tells. */
import { outboxCommand } from '@product-events/outbox'
import { readOperationsConfig, services } from './config.ts'

const stop = new AbortController()
// Not once: a Ctrl-C arrives twice, from the terminal and from npm, and the second must not end us in the middle.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())

process.exitCode = await outboxCommand({
  args: process.argv.slice(2),
  services,
  databaseUrl: (service) => readOperationsConfig(process.env)[service],
  signal: stop.signal,
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
})
