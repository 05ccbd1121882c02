export { parseCloudEvent } from './cloud-events.ts'
export { type Consumer, type SqsClient } from './consumer.ts'
export { type OtherDatabase, type PgClient, type PgPool, type Sql } from './database.ts'
export {
  compareSequences,
  contentHash,
  type EventOf,
  type InboxEvent,
  type Message,
  type MessageAttribute,
  type Parsed,
  waitSeconds,
} from './event.ts'
export { fromSns } from './from-sns.ts'
export { type Entry, type Store, type Stored } from './group-commit.ts'
export { type BulkHandler, type Handler, type Handlers, type Samples } from './handlers.ts'
export { createInbox, type HandlingOptions, type Inbox, type InboxOptions, type StoreOptions } from './inbox.ts'
export { type LambdaAnswer, type LambdaContext, type LambdaEvent, type LambdaHandler } from './lambda.ts'
export { IN_HAND, LONG_POLL_SECONDS, MAX_RECEIVERS } from './limits.ts'
export type { FailedEntry } from './messages.ts'
export { type AwayPart, type InboxReport, type Report } from './reports.ts'
export { type MessageTrace, type MessageTracing } from './trace.ts'
