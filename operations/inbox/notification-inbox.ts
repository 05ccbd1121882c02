import { createInterface } from 'node:readline/promises'
import { connect } from '@product-events/database'
import { findFailures, findQueues, inboxCommand, type InboxPlaces, recentFailures } from '@product-events/inbox/command'
import { connectSqs } from '@product-events/queue'
import type { Terminal } from '@product-events/terminal'
import { readDatabasesConfig, readQueueConfig, readStackConfig } from '../config.ts'
import { sayWhichStack } from '../which-stack.ts'

const VERSION = '1.0.0'
/** A call, its seconds of waiting included. */
const SQS_TIMEOUT_MS = 10_000
const MAX_SQS_CONNECTIONS = 4
/** The tables of notification-service are where they have always been. */
const TARGET = { schema: '"public"', consumer: 'notification-service' }

/** The inbox command over notification-service's queue and database. Resolves with the exit code. */
export function notificationInbox(name: string, terminal: Terminal): Promise<number> {
  return inboxCommand({ name, version: VERSION, open: () => open(terminal), confirm }, terminal)
}

async function open(terminal: Terminal): Promise<InboxPlaces> {
  sayWhichStack(readStackConfig(process.env), terminal)
  const config = readQueueConfig(process.env)
  const { urls, credentials } = readDatabasesConfig(process.env)
  const sqs = connectSqs({
    endpoint: config.sqsEndpoint,
    region: config.awsRegion,
    requestTimeoutMs: SQS_TIMEOUT_MS,
    maxConnections: MAX_SQS_CONNECTIONS,
  })
  const pool = connect({
    databaseUrl: urls['notification-service'],
    credentials,
    applicationName: 'inbox',
    maxConnections: 2,
    onIdleError: () => {},
  })
  async function close(): Promise<void> {
    sqs.destroy()
    await pool.end()
  }
  try {
    return {
      queues: await findQueues(sqs, config),
      findFailures: (ids) => findFailures(pool, TARGET, ids),
      recentFailures: (seconds, limit) => recentFailures(pool, TARGET, { seconds, limit }),
      close,
    }
  } catch (error) {
    await close()
    if ((error as Error).message.startsWith('there is no')) throw error
    const where = config.sqsEndpoint ?? `AWS (${config.awsRegion})`
    throw new Error(`SQS at ${where}: ${(error as Error).message || (error as Error).name}`, { cause: error })
  }
}

async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(`${question} Type yes: `)
  terminal.close()
  return answer.trim() === 'yes'
}
