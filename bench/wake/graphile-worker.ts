import { randomUUIDv7 } from 'node:crypto'
import pg from 'pg'
import { FASTEST, loadGraphileWorker } from '../drain/graphile-worker.ts'
import { samplePayload } from '../drain/drainer.ts'
import { atRate, createStopwatch, percentiles } from './latencies.ts'
import type { WakeContestant } from './ours.ts'

/** graphile-worker: from the commit of `add_job` to the start of its task. */
export async function graphileWorkerWoken(options: {
  databaseUrl: string
  rate: number
  seconds: number
}): Promise<WakeContestant> {
  const { databaseUrl: connectionString, rate, seconds } = options
  const { run, runMigrations, Logger } = await loadGraphileWorker()
  const logger = new Logger(() => () => {})
  await runMigrations({ connectionString, logger })
  const started = createStopwatch()
  const event = (payload: { id: string }) => started.happened(payload.id)
  const preset = { worker: { ...FASTEST, connectionString } }
  const runner = await run({ preset, logger, taskList: { event }, noHandleSignals: true })
  const db = new pg.Pool({ connectionString, max: 10 })
  return {
    name: 'graphile-worker',
    async round() {
      await atRate(rate, seconds, async () => {
        const id = randomUUIDv7()
        await db.query(`SELECT graphile_worker.add_job('event', $1::json)`, [
          JSON.stringify({ ...samplePayload(0), id }),
        ])
        started.committed(id)
      })
      return percentiles('to send', await started.delays())
    },
    async close() {
      await runner.stop()
      await db.end()
    },
  }
}
