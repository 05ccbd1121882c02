/** `npm run dlq`: looks into the dead-letter queue, and empties it one way or the other. */
import { createInterface } from 'node:readline/promises'
import { startOrExit, StartError } from '@product-events/process'
import { connect } from '@product-events/database'
import { connectSqs } from '@product-events/queue'
import { readDlqConfig } from './config.ts'
import { help, readArguments } from './dlq/arguments.ts'
import { findQueues } from './dlq/queues.ts'
import { runCommand } from './dlq/run.ts'
import { findFailures } from './failed-messages.ts'

/** A call, its second of waiting included. */
const SQS_TIMEOUT_MS = 10_000
const MAX_SQS_CONNECTIONS = 4

const stopping = new AbortController()
process.once('SIGINT', () => stopping.abort())
process.once('SIGTERM', () => stopping.abort())

await startOrExit(main)

async function main(): Promise<void> {
  const command = readArguments(process.argv.slice(2))
  if (command.kind === 'help') return void process.stdout.write(help)
  const config = readDlqConfig(process.env)
  const where = config.sqsEndpoint ?? `AWS (${config.awsRegion})`
  await using opened = new AsyncDisposableStack()
  const sqs = connectSqs({
    endpoint: config.sqsEndpoint,
    region: config.awsRegion,
    requestTimeoutMs: SQS_TIMEOUT_MS,
    maxConnections: MAX_SQS_CONNECTIONS,
  })
  opened.defer(() => sqs.destroy())
  const pool = connect({
    databaseUrl: config.database.url,
    applicationName: 'dlq',
    maxConnections: 1,
    onIdleError: () => {},
  })
  opened.defer(() => pool.end())

  const unlessStartError = (error: Error) => {
    throw error instanceof StartError
      ? error
      : new StartError(`SQS at ${where} does not do it: ${error.message || error.name}`)
  }
  const queues = await findQueues(sqs, config).catch(unlessStartError)
  const done = await runCommand(command, {
    queues,
    signal: stopping.signal,
    say: (text) => void process.stdout.write(`${text}\n`),
    confirm,
    findFailures: (ids) =>
      findFailures(pool, ids).catch((error: Error) => {
        process.stderr.write(`why they failed is unknown, the database can't be read: ${error.message}\n`)
        return new Map()
      }),
  }).catch(unlessStartError)
  if (!done) process.exitCode = 1
}

async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(`${question} Type yes: `)
  terminal.close()
  return answer.trim() === 'yes'
}
