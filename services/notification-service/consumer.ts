import type { SQSClient } from '@aws-sdk/client-sqs'
import { type Consumer, createInbox, type Message } from '@product-events/inbox'
import { traceMessages } from '@product-events/inbox/opentelemetry'
import { activeTracer, readTraceHeaders, type SpanContext } from '@product-events/telemetry'
import { queueNameOf } from '@product-events/queue'
import type pg from 'pg'
import type { Outgoing } from './channels/store-with-deliveries.ts'
import type { LogLines } from './log-lines.ts'
import type { Metrics } from './metrics.ts'
import { parseMessage } from './notifiable-event.ts'
import { reportTo } from './report.ts'
import { notificationStore } from './store-events.ts'

/** Its tables are those of this service, in the schema where they have always been. */
export const inboxOptions = { schema: 'public', consumer: 'notification-service' }

export interface ConsumerOptions {
  pool: pg.Pool
  outgoing?: Outgoing | undefined
  /** Called after each commit that stored notifications. */
  onStored?: () => void
  sqs: SQSClient
  queueUrl: string
  log: LogLines
  metrics: Metrics
}

/** Receives product events and makes notifications of them. */
export function createConsumer({ pool, outgoing, onStored, sqs, queueUrl, log, metrics }: ConsumerOptions): Consumer {
  const tracer = activeTracer()
  const traced = tracer && traceMessages({ tracer, queue: queueNameOf(queueUrl), table: 'notifications', readContext })
  const contextOf = traced?.contextOf ?? readContext
  return createInbox(inboxOptions).createConsumer({
    db: pool,
    sqs,
    queueUrl,
    parse: parseMessage,
    store: notificationStore({ pool, outgoing, onStored, contextOf }),
    report: reportTo(log, metrics, contextOf),
    tracing: traced,
  })
}

/** The sender's place in its trace, tracing or not: log lines name it. */
function readContext({ MessageAttributes }: Message): SpanContext | undefined {
  return readTraceHeaders(MessageAttributes?.traceparent?.StringValue, MessageAttributes?.tracestate?.StringValue)
}
