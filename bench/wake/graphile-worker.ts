import { randomUUIDv7 } from 'node:crypto'
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import pg from 'pg'
import { FASTEST, loadGraphileWorker } from '../drain/graphile-worker.ts'
import { samplePayload, untilNoneLeft } from '../drain/drainer.ts'
import { atRate, createStopwatch, percentiles } from './latencies.ts'
import { type WakeContestant, WRITERS, writesPerSecond } from './ours.ts'

/**
 * graphile-worker: from the commit of `add_job` to the start of its task, and to the answer of SQS, which the task
 * calls.
 */
export async function graphileWorkerWoken(options: {
  databaseUrl: string
  sqs: SQSClient
  queueUrl: string
  rate: number
  seconds: number
  writingSeconds: number
}): Promise<WakeContestant> {
  const { databaseUrl: connectionString, sqs, queueUrl: QueueUrl, rate, seconds, writingSeconds } = options
  const { run, runMigrations, Logger } = await loadGraphileWorker()
  const logger = new Logger(() => () => {})
  await runMigrations({ connectionString, logger })
  const [started, accepted] = [createStopwatch(), createStopwatch()]
  const event = async (payload: { id: string }) => {
    started.happened(payload.id)
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(payload) }))
    accepted.happened(payload.id)
  }
  const preset = { worker: { ...FASTEST, connectionString } }
  const runner = await run({ preset, logger, taskList: { event }, noHandleSignals: true })
  const db = new pg.Pool({ connectionString, max: WRITERS })
  const write = async (): Promise<string> => {
    const id = randomUUIDv7()
    const payload = JSON.stringify({ ...samplePayload(0), id })
    await db.query(`SELECT graphile_worker.add_job('event', $1::json)`, [payload])
    return id
  }
  return {
    name: 'graphile-worker',
    async round() {
      await atRate(rate, seconds, async () => {
        const id = await write()
        started.committed(id)
        accepted.committed(id)
      })
      const figures = {
        ...percentiles('to send', await started.delays()),
        ...percentiles('to accepted', await accepted.delays()),
        'writes/s of 64': await writesPerSecond(write, writingSeconds),
      }
      await untilNoneLeft(connectionString, 'SELECT count(*)::int AS left FROM graphile_worker._private_jobs')
      return figures
    },
    async close() {
      await runner.stop()
      await db.end()
    },
  }
}
