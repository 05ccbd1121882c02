/** The process of the SQS emulator: `node sqs-main.ts <port> [data directory]`. Tells its parent when it is ready. */
import { startFauxqs } from 'fauxqs'

const [port, dataDir] = process.argv.slice(2)
// Messages are for this user only.
process.umask(0o077)
const server = await startFauxqs({
  port: Number(port),
  host: '127.0.0.1',
  logger: false,
  ...(dataDir && { dataDir }),
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void server.stop().finally(() => process.exit(0)))
}
// A parent that was killed can't stop us: its end of the channel closes.
process.once('disconnect', () => process.exit(1))
process.send?.('ready')
