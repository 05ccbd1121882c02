import { migrate } from '@product-events/database'
import { outboxMigrations } from '@product-events/outbox'
import type { Drainer } from '../drain/drainer.ts'
import { fillProcessed } from '../drain/fill-events.ts'
import { graphileWorker } from '../drain/graphile-worker.ts'
import { oursTo } from '../drain/ours.ts'
import { pgBoss } from '../drain/pg-boss.ts'
import { pgTransactionalOutbox } from '../drain/pg-transactional-outbox.ts'
import type { Contestant, Scenario, Skipped } from '../scenario.ts'
import { startBenchServer } from '../server.ts'

const RELAYS = [1, 2, 4]
const EVENTS = 50_000
const PROCESSED = 5_000_000
/** Slow contestants get fewer events: a rate does not need more. */
const EVENTS_FOR_THE_SLOW = 5_000
/** How much less a quick look makes of it. */
const QUICK = 10

export const scenario: Scenario = {
  name: 'drain',
  title: 'the outbox to a sink that takes everything at once: events per second, marked done',
  chart: 'events/s',
  seconds: { prepare: 75, round: 42 },
  async open({ quick, dir, say }) {
    const server = await startBenchServer(dir)
    // The peer that reads the WAL needs a larger WAL. It gets a server of its own, so that no other peer pays for that.
    const logical = await startBenchServer(dir, { wal_level: 'logical' })
    const drainers: { drainer: Drainer; events: number }[] = []
    const skipped: Skipped[] = []
    const [events, eventsForTheSlow, processed] = [EVENTS, EVENTS_FOR_THE_SLOW, PROCESSED].map((all) =>
      quick ? all / QUICK : all,
    ) as [number, number, number]
    const add = async (name: string, events: number, drainer: Promise<Drainer>) => {
      say(`preparing ${name}`)
      await drainer.then(
        (drainer) => drainers.push({ drainer, events }),
        (error: NodeJS.ErrnoException) => {
          if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
          skipped.push({ name, reason: 'npm run bench:peers installs it' })
        },
      )
    }
    for (const relays of RELAYS) {
      const name = relays === 1 ? '1 relay' : `${relays} relays`
      const empty = await server.createDatabase(`empty_${relays}`)
      await add(name, events, oursTo(name, empty, { relays }))
    }
    const full = await server.createDatabase('ours_full')
    say(`writing ${processed.toLocaleString('en')} processed events`)
    await migrate(full, outboxMigrations)
    await fillProcessed(full, processed)
    // One table for all of them; so each takes the lanes when it is its turn.
    for (const relays of RELAYS) {
      const name = `${relays === 1 ? '1 relay' : `${relays} relays`}, ${processed / 1e6} M processed`
      await add(name, events, oursTo(name, full, { relays, takesTurns: true }))
    }
    await add('graphile-worker', events, graphileWorker(await server.createDatabase('graphile_worker')))
    await add('pg-boss', events, pgBoss(await server.createDatabase('pg_boss')))
    const polling = await server.createDatabase('polling')
    await add('pg-transactional-outbox, polling', eventsForTheSlow, pgTransactionalOutbox('polling', polling))
    const replicated = await logical.createDatabase('replicated')
    const replication = pgTransactionalOutbox('replication', replicated)
    await add('pg-transactional-outbox, replication', eventsForTheSlow, replication)
    return {
      contestants: drainers.map(({ drainer, events }) => toContestant(drainer, events)),
      skipped,
      settings: { events, eventsForTheSlow, processed, postgresql: server.settings },
      async close() {
        for (const { drainer } of drainers) await drainer.close()
        await server.close()
        await logical.close()
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
      const seconds = (performance.now() - start) / 1000
      await drainer.settled?.()
      return { 'events/s': events / seconds }
    },
  }
}
