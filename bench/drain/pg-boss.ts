import type { Drainer } from './drainer.ts'
import { samplePayload, untilNoneLeft } from './drainer.ts'

/** Its documentation's advice for throughput: large batches, fetched without a pause while they come back full. */
const FASTEST = { batchSize: 1_000, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5, localConcurrency: 4 }
const INSERT = 1_000

interface Boss {
  on(event: 'error', listener: (error: Error) => void): void
  start(): Promise<void>
  stop(options: object): Promise<void>
  createQueue(name: string): Promise<void>
  insert(name: string, jobs: object[]): Promise<unknown>
  work(name: string, options: object, handler: (jobs: object[]) => Promise<void>): Promise<string>
  offWork(name: string, options?: object): Promise<void>
}

export async function pgBoss(connectionString: string): Promise<Drainer> {
  const peer = '../peers/node_modules/pg-boss/dist/index.js'
  const { PgBoss } = (await import(peer)) as {
    PgBoss: new (options: object) => Boss
  }
  const boss = new PgBoss({ connectionString, supervise: false, schedule: false })
  boss.on('error', (error) => console.error(error.message))
  await boss.start()
  await boss.createQueue('events')
  return {
    name: 'pg-boss',
    async fill(count) {
      for (let from = 0; from < count; from += INSERT) {
        const jobs = Array.from({ length: Math.min(INSERT, count - from) }, (_, n) => ({
          data: samplePayload(from + n),
        }))
        await boss.insert('events', jobs)
      }
    },
    async drain(count) {
      let handled = 0
      let done = () => {}
      const all = new Promise<void>((resolve) => (done = resolve))
      await boss.work('events', FASTEST, async (jobs) => {
        handled += jobs.length
        if (handled >= count) done()
      })
      await all
      await untilNoneLeft(connectionString, `SELECT count(*)::int AS left FROM pgboss.job WHERE state < 'completed'`)
      await boss.offWork('events')
    },
    close: () => boss.stop({ graceful: false }),
  }
}
