export { append, type NewEvent, type Transaction } from './append.ts'
export { outboxMigrations } from './migrations.ts'
export { type Outcome, type OutboxEvent, type Send, type SendResult } from './send.ts'
