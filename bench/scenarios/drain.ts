import { graphileWorker } from '../drain/graphile-worker.ts'
import type { Drainer } from '../drain/drainer.ts'
import { oursTo } from '../drain/ours.ts'
import { pgBoss } from '../drain/pg-boss.ts'
import { pgTransactionalOutbox } from '../drain/pg-transactional-outbox.ts'
import type { Contestant, Scenario, Skipped } from '../scenario.ts'
import { startBenchServer } from '../server.ts'

const EVENTS = 100_000
const PROCESSED = 5_000_000
/** What is slow to drain gets less of it: a rate does not need more. */
const EVENTS_FOR_THE_SLOW = 20_000

export const scenario: Scenario = {
  name: 'drain',
  title: 'the outbox to a sink that takes everything at once: events per second, marked done',
  async open({ quick, say }) {
    const server = await startBenchServer()
    const drainers: { drainer: Drainer; events: number }[] = []
    const skipped: Skipped[] = []
    const scale = quick ? 5 : 1
    const add = async (name: string, events: number, make: (url: string) => Promise<Drainer>) => {
      say(`preparing ${name}`)
      const url = await server.createDatabase(name)
      await make(url).then(
        (drainer) => drainers.push({ drainer, events: events / scale }),
        (error: NodeJS.ErrnoException) => {
          if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
          skipped.push({ name: name.replaceAll('_', '-'), reason: 'npm run bench:peers installs it' })
        },
      )
    }
    await add('ours_1', EVENTS, (url) => oursTo(url, { relays: 1 }))
    await add('ours_2', EVENTS, (url) => oursTo(url, { relays: 2 }))
    await add('ours_4', EVENTS, (url) => oursTo(url, { relays: 4 }))
    await add('ours_1_full', EVENTS, (url) => oursTo(url, { relays: 1, processed: PROCESSED / scale }))
    await add('graphile_worker', EVENTS, graphileWorker)
    await add('pg_boss', EVENTS, pgBoss)
    await add('pg_transactional_outbox', EVENTS_FOR_THE_SLOW, pgTransactionalOutbox)
    return {
      contestants: drainers.map(({ drainer, events }) => toContestant(drainer, events)),
      skipped,
      async close() {
        for (const { drainer } of drainers) await drainer.close()
        await server.close()
      },
    }
  },
}

function toContestant(drainer: Drainer, events: number): Contestant {
  return {
    name: drainer.name,
    async round() {
      await drainer.fill(events)
      const start = performance.now()
      await drainer.drain(events)
      return { 'events/s': events / ((performance.now() - start) / 1000) }
    },
  }
}
