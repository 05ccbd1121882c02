import type { SQSClient } from '@aws-sdk/client-sqs'
import type pg from 'pg'
import type { Outgoing } from './channels/store-with-deliveries.ts'
import type { LogLines } from './log-lines.ts'
import type { SourceQueue } from './messages.ts'
import type { Metrics } from './metrics.ts'
import type { Reachability } from './reachability.ts'

/** What the receivers of one process share. */
export interface Consumer {
  pool: pg.Pool
  sqs: SQSClient
  queue: SourceQueue
  log: LogLines
  metrics: Metrics
  /** The channels beside the log; undefined when none is configured. */
  outgoing?: Outgoing | undefined
  reachable: { database: Reachability; sqs: Reachability }
  /** Aborts when the process is told to stop: no new receive, no new try. What is under way is finished. */
  stopping: AbortSignal
}
