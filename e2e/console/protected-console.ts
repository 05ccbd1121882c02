import { resolve } from 'node:path'
import { freePort, startProgram, untilReady } from '@product-events/local'
import pg from 'pg'
import type { Browser } from 'playwright-core'
import { type Stack, startStack } from '../stack.ts'
import { openChromium, openPage, type WatchedPage } from './browser.ts'
import { startIssuer } from './issuer.ts'

export const consoleMain = resolve(import.meta.dirname, '../../operations/console/main.ts')

/** Both services and a console that asks for tokens, with a browser to look at it. */
export interface ProtectedConsole {
  address: string
  browser: Browser
  stack: Stack
  queueName: string
  /** The database of product-service. */
  products: pg.Client
  token(sub: string, scope: string): Promise<string>
  /** A page with a token typed in, live. `hash` is the part of the address behind the console's own. */
  signedIn(sub: string, scope: string, hash?: string): Promise<WatchedPage & AsyncDisposable>
  startConsole(): Promise<void>
  stopConsole(): Promise<void>
  stop(): Promise<void>
}

export async function startProtectedConsole(ground: {
  postgresUrl: string
  sqsEndpoint: string
}): Promise<ProtectedConsole> {
  const opened = new AsyncDisposableStack()
  const issuer = await startIssuer()
  opened.defer(() => issuer.close())
  const queueName = `console-${process.pid}-${Date.now()}`
  const stack = await startStack({ ...ground, queueName })
  opened.defer(() => stack.stop())
  const browser = await openChromium()
  opened.defer(() => browser.close())
  const products = new pg.Client({ connectionString: stack.products.databaseUrl })
  await products.connect()
  opened.defer(() => products.end())

  const port = await freePort()
  const address = `http://127.0.0.1:${port}`
  const variables = {
    ...variablesOf(stack),
    ...issuer.variables,
    AWS_ENDPOINT_URL_SQS: ground.sqsEndpoint,
    SQS_QUEUE_NAME: queueName,
    HTTP_PORT: String(port),
  }
  const launch = () => startProgram('console', { main: consoleMain, preload: [], onLine: () => {}, variables })
  let part = launch()
  opened.defer(() => part.stop())
  await untilReady(part, port)

  return {
    address,
    browser,
    stack,
    queueName,
    products,
    token: issuer.token,
    async signedIn(sub, scope, hash = '') {
      const open = await openPage(browser, `${address}/${hash}`)
      await open.page.getByLabel('Token').fill(await issuer.token(sub, scope))
      await open.page.getByRole('button', { name: 'Sign in' }).click()
      await open.page.locator('.live.live').waitFor()
      return open
    },
    async startConsole() {
      part = launch()
      await untilReady(part, port)
    },
    stopConsole: () => part.stop(),
    stop: () => opened.disposeAsync(),
  }
}

/** Where the console finds the services and their databases. */
function variablesOf({ products, notifications }: Stack): Record<string, string> {
  return {
    PRODUCTS_DATABASE_URL: products.databaseUrl,
    NOTIFICATIONS_DATABASE_URL: notifications.databaseUrl,
    PRODUCT_SERVICE_OPERATIONS_URL: products.metricsUrl,
    NOTIFICATION_SERVICE_OPERATIONS_URL: notifications.metricsUrl,
  }
}
