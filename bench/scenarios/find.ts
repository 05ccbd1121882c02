import { freePort, startSqs } from '@product-events/local'
import { findEvent } from '../../operations/find/index.ts'
import { fillHistory, freshSources } from '../../operations/testing/databases.ts'
import type { Contestant, Figures, Scenario } from '../scenario.ts'
import { startBenchServer } from '../server.ts'

export const scenario: Scenario = {
  name: 'find',
  title: 'npm run find among one and ten million events: milliseconds, probes of the primary key, rows read',
  chart: 'find ms',
  seconds: { prepare: 240, round: 2 },
  async open({ quick, dir, say }) {
    const sizes = quick ? [100_000] : [1_000_000, 10_000_000]
    await using opening = new AsyncDisposableStack()
    const server = await startBenchServer(dir)
    opening.defer(() => server.close())
    const emulator = await startSqs({ port: await freePort() })
    opening.defer(() => emulator.stop())
    const contestants: Contestant[] = []
    for (const size of sizes) {
      say(`filling ${size} events`)
      const sources = await freshSources(server.postgres.url, emulator.endpoint)
      opening.defer(() => sources.close())
      const { eventId, productId, notificationId } = await fillHistory(sources, size, Math.floor(size / 3))
      const nowhere = eventId.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))
      const ids = {
        'event id': eventId,
        'product id': productId,
        'notification id': notificationId,
        'an id of nothing': nowhere,
      }
      for (const [name, id] of Object.entries(ids))
        contestants.push({ name: `by ${name}, ${size} events`, round: () => costOf(id, sources) })
    }
    const opened = opening.move()
    return {
      contestants,
      skipped: [],
      settings: { sizes, postgresql: server.settings },
      close: () => opened.disposeAsync(),
    }
  },
}

/** The second of two: the first opens connections. */
async function costOf(id: string, sources: Parameters<typeof findEvent>[1]): Promise<Figures> {
  await findEvent(id, sources)
  const found = await findEvent(id, sources)
  if (found.kind === 'no-id' || found.kind === 'message') throw new Error(`${id} is ${found.kind}`)
  const { milliseconds, probes, rows } = found.looked
  return { 'find ms': milliseconds, probes, rows }
}
