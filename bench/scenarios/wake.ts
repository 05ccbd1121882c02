import { freePort, freshQueue, startSqs } from '@product-events/local'
import { sendToSqs } from '@product-events/outbox/sqs'
import type { Scenario, Skipped } from '../scenario.ts'
import { startBenchServer } from '../server.ts'
import { graphileWorkerWoken } from '../wake/graphile-worker.ts'
import { oursWoken, type WakeContestant, type WakeUp, WRITERS } from '../wake/ours.ts'

const RATE = 100
const SECONDS = 10
/** For how long 64 writers write. */
const WRITING_SECONDS = 2

export const scenario: Scenario = {
  name: 'wake',
  title: 'from the commit to the send, and to accepted by SQS, at 100 events/s; and what it costs 64 writers',
  chart: 'to accepted p99 ms',
  seconds: { prepare: 10, round: 50 },
  async open({ quick, dir, say }) {
    const server = await startBenchServer(dir)
    const emulator = await startSqs({ port: await freePort() })
    const { sqs, queue } = await freshQueue(emulator.endpoint)
    const send = sendToSqs({ sqs, queueUrl: queue.url })
    const timing = quick
      ? { rate: RATE, seconds: 2, writingSeconds: 0.5 }
      : { rate: RATE, seconds: SECONDS, writingSeconds: WRITING_SECONDS }
    const contestants: WakeContestant[] = []
    const skipped: Skipped[] = []
    const ways: [string, WakeUp][] = [
      ['ours: nudged after the commit', 'nudge'],
      ['a poll, every 25 ms while events come', 'poll'],
      ['NOTIFY in the transaction', 'notify'],
    ]
    for (const [name, by] of ways) {
      say(`preparing ${name}`)
      const databaseUrl = await server.createDatabase(`wake_${by}`)
      contestants.push(await oursWoken(name, by, { databaseUrl, send, ...timing }))
    }
    const databaseUrl = await server.createDatabase('wake_graphile_worker')
    await graphileWorkerWoken({ databaseUrl, sqs, queueUrl: queue.url, ...timing }).then(
      (contestant) => contestants.push(contestant),
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
        skipped.push({ name: 'graphile-worker', reason: 'npm run bench:peers installs it' })
      },
    )
    return {
      contestants,
      skipped,
      settings: { ...timing, writers: WRITERS, postgresql: server.settings },
      async close() {
        for (const { close } of contestants) await close()
        sqs.destroy()
        await emulator.stop()
        await server.close()
      },
    }
  },
}
