#!/usr/bin/env node
/** `npx @product-events/inbox …`: the dead-letter queue of any consumer, and the tables of an inbox. */
import { createInterface } from 'node:readline/promises'
import { quotedName } from '@product-events/database/names'
import { runProcess } from '@product-events/terminal'
import { findFailures, findQueues, inboxCommand, type InboxPlaces, recentFailures } from './cli/run.ts'
import { isAboutTables, schemaOption, tablesCommand } from './cli/tables.ts'
import { readCommandConfig, readDatabaseConfig } from './config.ts'

const VERSION = '1.0.0'
const places = {
  schema: schemaOption,
  consumer: { value: 'name', help: 'whose failing messages to show; all consumers’ if left out' },
} as const
const more = 'inbox migrate and inbox sql make the tables; their --help says more.'

await runProcess('inbox', (terminal) =>
  isAboutTables(terminal.args)
    ? tablesCommand(terminal, () => readDatabaseConfig(process.env).databaseUrl)
    : inboxCommand({ name: 'inbox', version: VERSION, more, places, open, confirm }, terminal),
)

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
