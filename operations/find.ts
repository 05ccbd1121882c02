/** `npm run find -- <id>`: where an event is. `--help` tells. */
import { connectSqs } from '@product-events/queue'
import { EXIT, readProgram, runProcess } from '@product-events/terminal'
import pg from 'pg'
import { readOperationsConfig, readQueueConfig, readStackConfig } from './config.ts'
import { program } from './find/program.ts'
import { runFind } from './find/run.ts'
import { findQueues } from './queues.ts'
import { sayWhichStack } from './which-stack.ts'

/** A person waits. */
const CONNECT_TIMEOUT_MS = 3_000
/** A scan of half a million rows takes two seconds. */
const QUERY_TIMEOUT_MS = 15_000
const SQS_TIMEOUT_MS = 3_000

await runProcess(program.name, async (terminal) => {
  const line = readProgram(program, terminal.args)
  if (line.kind === 'print') {
    terminal.stdout(line.text)
    return EXIT.done
  }
  sayWhichStack(readStackConfig(process.env), terminal)
  const urls = readOperationsConfig(process.env)
  const { sqsEndpoint, awsRegion, ...queue } = readQueueConfig(process.env)
  await using opened = new AsyncDisposableStack()
  const open = (connectionString: string) => {
    const pool = new pg.Pool({
      connectionString,
      application_name: 'find',
      max: 3,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
    })
    pool.on('error', () => {}) // the query under way rejects with the same error
    opened.defer(() => pool.end())
    return pool
  }
  const sqs = connectSqs({
    endpoint: sqsEndpoint,
    region: awsRegion,
    requestTimeoutMs: SQS_TIMEOUT_MS,
    maxConnections: 4,
  })
  opened.defer(() => sqs.destroy())
  return await runFind(line.words[0]!, line.options, terminal, {
    products: open(urls['product-service']),
    notifications: open(urls['notification-service']),
    queues: () => findQueues(sqs, queue),
    signal: terminal.signal,
  })
})
