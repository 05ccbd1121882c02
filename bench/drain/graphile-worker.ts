import type { Drainer } from './drainer.ts'
import { samplePayload, untilNoneLeft } from './drainer.ts'
import { query } from '../server.ts'

/** Its documented fastest setting: https://worker.graphile.org/docs/performance */
export const FASTEST = {
  concurrentJobs: 24,
  maxPoolSize: 25,
  localQueue: { size: 500 },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
}

interface GraphileWorker {
  run(options: object): Promise<{ stop(): Promise<void> }>
  runMigrations(options: object): Promise<void>
  Logger: new (factory: () => () => void) => object
}

/** Rejects with ERR_MODULE_NOT_FOUND where the peers are not installed. */
export async function loadGraphileWorker(): Promise<GraphileWorker> {
  const path = '../peers/node_modules/graphile-worker/dist/index.js'
  return (await import(path)) as GraphileWorker
}

/** graphile-worker, started for each round on what waits, as its own perfTest does. */
export async function graphileWorker(connectionString: string): Promise<Drainer> {
  const { run, runMigrations, Logger } = await loadGraphileWorker()
  const logger = new Logger(() => () => {})
  await runMigrations({ connectionString, logger })
  return {
    name: 'graphile-worker',
    async fill(count) {
      await query(
        connectionString,
        `SELECT count(*) FROM graphile_worker.add_jobs(ARRAY(
           SELECT ROW('event', $2::json, NULL, NULL, NULL, NULL, NULL, NULL)::graphile_worker.job_spec
           FROM generate_series(1, $1::int)))`,
        [count, JSON.stringify(samplePayload(0))],
      )
    },
    async drain(count) {
      let handled = 0
      let done = () => {}
      const all = new Promise<void>((resolve) => (done = resolve))
      const event = () => {
        if (++handled === count) done()
      }
      const preset = { worker: { ...FASTEST, connectionString } }
      const runner = await run({ preset, logger, taskList: { event }, noHandleSignals: true })
      await all
      await untilNoneLeft(connectionString, 'SELECT count(*)::int AS left FROM graphile_worker._private_jobs')
      await runner.stop()
    },
    close: async () => {},
  }
}
