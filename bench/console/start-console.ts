import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { connect } from '@product-events/database'
import { freePort, type Part, startProgram, untilReady } from '@product-events/local'
import type pg from 'pg'
import { type Stack, startStack } from '../../e2e/stack.ts'
import { query } from '../server.ts'

const root = resolve(import.meta.dirname, '../..')

/** The consoles' own: PostgreSQL counts statements by role. */
export const CONSOLE_ROLE = 'console'

/** Both services, and two consoles that watch them: one of the checkout, one of a build. */
export interface Consoles {
  stack: Stack
  /** The database of product-service. */
  products: pg.Pool
  console: Record<'checkout' | 'built', { url: string; pid: number }>
  close(): Promise<void>
}

export async function startConsoles(ground: {
  postgresUrl: string
  sqsEndpoint: string
  dir: string
}): Promise<Consoles> {
  const opened = new AsyncDisposableStack()
  const { postgresUrl, sqsEndpoint, dir } = ground
  await promisify(execFile)(process.execPath, [`${root}/deploy/build.ts`, `${dir}/dist`])
  const queueName = `console-${process.pid}`
  await query(`${postgresUrl}/postgres`, `CREATE ROLE ${CONSOLE_ROLE} LOGIN SUPERUSER PASSWORD '${CONSOLE_ROLE}'`)
  const asConsole = (databaseUrl: string) =>
    Object.assign(new URL(databaseUrl), { username: CONSOLE_ROLE, password: CONSOLE_ROLE }).href
  const stack = await startStack({ postgresUrl, sqsEndpoint, queueName })
  opened.defer(() => stack.stop())
  const start = async (main: string) => {
    const port = await freePort()
    const variables = {
      PRODUCTS_DATABASE_URL: asConsole(stack.products.databaseUrl),
      NOTIFICATIONS_DATABASE_URL: asConsole(stack.notifications.databaseUrl),
      AWS_ENDPOINT_URL_SQS: sqsEndpoint,
      SQS_QUEUE_NAME: queueName,
      PRODUCT_SERVICE_OPERATIONS_URL: stack.products.metricsUrl,
      NOTIFICATION_SERVICE_OPERATIONS_URL: stack.notifications.metricsUrl,
      HTTP_PORT: String(port),
    }
    const part: Part = startProgram('console', { main, preload: [], onLine: () => {}, variables })
    opened.defer(() => part.stop())
    await untilReady(part, port)
    return { url: `http://127.0.0.1:${port}/`, pid: part.process.pid ?? 0 }
  }
  const checkout = await start(`${root}/operations/console/main.ts`)
  const built = await start(`${dir}/dist/console.js`)
  const products = connect({
    databaseUrl: stack.products.databaseUrl,
    applicationName: 'bench',
    maxConnections: 2,
    onIdleError: () => {},
  })
  opened.defer(() => products.end())
  return { stack, products, console: { checkout, built }, close: () => opened.disposeAsync() }
}
