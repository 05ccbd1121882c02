import type { SQSClient } from '@aws-sdk/client-sqs'
import type { OutageWatch } from '@product-events/outages'
import type pg from 'pg'
import type { Inbox } from './inbox.ts'
import type { LogLines } from './log-lines.ts'
import type { SourceQueue } from './messages.ts'
import type { Metrics } from './metrics.ts'
import type { MessageTracing } from './trace-messages.ts'

/** What the receivers of one process share. */
export interface Consumer {
  inbox: Inbox
  sqs: SQSClient
  queue: SourceQueue
  /** Where it is noted why a message failed. */
  pool: pg.Pool
  log: LogLines
  metrics: Metrics
  tracing: MessageTracing
  /** Whether SQS answers. */
  reachable: OutageWatch
  /** Aborts when the process is told to stop: no new receive, no new try. What is under way is finished. */
  stopping: AbortSignal
}
