#!/usr/bin/env node
/** `npx @product-events/inbox …`: the dead-letter queue of any consumer. `sql` prints the schema for a migration tool. */
import { createInterface } from 'node:readline/promises'
import { runProcess, type Terminal } from '@product-events/terminal'
import { findFailures, findQueues, inboxCommand, type InboxPlaces, recentFailures } from './cli/run.ts'
import { readCommandConfig } from './config.ts'
import { quotedName } from './database.ts'
import { createInbox } from './inbox.ts'

const VERSION = '1.0.0'
const places = {
  schema: { value: 'name', default: 'inbox', help: 'the schema of the inbox' },
  consumer: { value: 'name', help: 'whose failing messages to show; all consumers’ if left out' },
} as const

await runProcess('inbox', (terminal) => {
  const [command, option, schema = 'inbox'] = terminal.args
  if (command !== 'sql') return inboxCommand({ name: 'inbox', version: VERSION, places, open, confirm }, terminal)
  return printSql(terminal, option === undefined || option === '--schema' ? schema : '')
})

function printSql(terminal: Terminal, schema: string): Promise<number> {
  terminal.stdout(createInbox({ schema, consumer: 'any' }).sql())
  return Promise.resolve(0)
}

/** The clients are those of the project that runs the command. */
async function open({ schema, consumer }: Readonly<Record<string, unknown>>): Promise<InboxPlaces> {
  const { databaseUrl, queueUrl } = readCommandConfig(process.env)
  const { SQSClient } = await import('@aws-sdk/client-sqs')
  const { default: pg } = await import('pg')
  const sqs = new SQSClient({ useQueueUrlAsEndpoint: false })
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2, connectionTimeoutMillis: 5_000 })
  pool.on('error', () => {})
  const target = { schema: quotedName(String(schema)), consumer: typeof consumer === 'string' ? consumer : '' }
  return {
    queues: await findQueues(sqs, { queueUrl }),
    findFailures: (ids) => findFailures(pool, target, ids),
    recentFailures: (seconds, limit) => recentFailures(pool, target, { seconds, limit }),
    async close() {
      sqs.destroy()
      await pool.end()
    },
  }
}

async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(`${question} Type yes: `)
  terminal.close()
  return answer.trim() === 'yes'
}
