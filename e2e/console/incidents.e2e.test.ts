import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { machineVariables } from '@product-events/local'
import type { Browser, Page } from 'playwright-core'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createProduct } from '../api.ts'
import { headline, openChromium, openPage, type WatchedPage } from './browser.ts'
import { type ConsoleRun, startWithConsole } from './run.ts'

/**
 * Ten seconds are promised; watch.test.ts holds the console to six by its own clock, and about three are measured. This
 * bound is for a browser on a busy machine.
 */
const SEEN = { timeout: 30_000, interval: 50 }
const HEALED = { timeout: 60_000, interval: 200 }

const STATUS = resolve(import.meta.dirname, '../../operations/status.ts')

let browser: Browser
let stack: ConsoleRun
let open: WatchedPage & AsyncDisposable
let page: Page
let frozen: number[] = []
beforeAll(async () => {
  ;[browser, stack] = await Promise.all([openChromium(), startWithConsole()])
  open = await openPage(browser, stack.console)
  page = open.page
  await stack.play({ traffic: 3 })
  await page.getByRole('heading', { name: 'Every event arrives.' }).waitFor({ timeout: HEALED.timeout })
})
afterEach(() => {
  for (const pid of frozen.splice(0)) process.kill(pid, 'SIGCONT')
})
afterAll(async () => {
  await open[Symbol.asyncDispose]()
  await browser.close()
  await stack.stop()
})

/** Stops the processes of the stack whose command has this text, as a machine without a processor does. */
async function freeze(command: RegExp): Promise<void> {
  const processes = (await stack.run.processes()).filter((one) => command.test(one.command))
  expect(processes.length).toBeGreaterThan(0)
  frozen = processes.map(({ pid }) => pid)
  for (const pid of frozen) process.kill(pid, 'SIGSTOP')
}

/** One step, looking at the page that is open: the seconds until it has the answer. */
async function secondsUntil(incident: string, said: RegExp): Promise<number> {
  const from = performance.now()
  await expect.poll(() => headline(page), SEEN).toMatch(said)
  const seconds = (performance.now() - from) / 1000
  console.log(`${incident}: ${seconds.toFixed(1)} s: ${await headline(page)}`)
  return seconds
}

/** `npm run status`, without any variable but DATA_DIR. */
async function runStatus(): Promise<{ screen: string; exitCode: number | null }> {
  const child = spawn(process.execPath, [STATUS], {
    env: { ...machineVariables(), DATA_DIR: stack.dataDir, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [screen] = await Promise.all([text(child.stdout), once(child, 'close')])
  return { screen, exitCode: child.exitCode }
}

/** One step in a terminal. On a busy machine a command may be too late for its own bounds: then it is run again. */
async function askStatus(incident: string, said: RegExp): Promise<void> {
  const from = performance.now()
  let status = await runStatus()
  for (let tries = 1; tries < 5 && !said.test(status.screen); tries++) status = await runStatus()
  const seconds = (performance.now() - from) / 1000
  const answer = status.screen.split('\n').find((line) => said.test(line))
  console.log(`${incident}, npm run status: ${seconds.toFixed(1)} s: ${answer}`)
  expect(status.screen).toMatch(said)
  expect(status.exitCode).toBe(1)
}

test.each<[string, RegExp, RegExp, RegExp]>([
  ['SQS frozen', /sqs-main\.ts/, /^SQS (is unreachable|takes no events)\./, /SQS does not answer/],
  ['PostgreSQL frozen', /postgres/, /^PostgreSQL is unreachable\.$/, /PostgreSQL of product-service does not answer/],
  [
    'the relay frozen',
    /product-service\/main\.ts/,
    /^product-service does not answer\.$/,
    /product-service.*nothing within/,
  ],
])(
  '%s: the answer stands on the page and in status, and goes when it is over',
  async (incident, command, said, told) => {
    await freeze(command)
    expect(await secondsUntil(incident, said)).toBeLessThan(30)
    await askStatus(incident, told)
    for (const pid of frozen.splice(0)) process.kill(pid, 'SIGCONT')
    await expect.poll(() => headline(page), HEALED).toBe('Every event arrives.')
  },
)

test('a dead event: the answer stands on the page', async () => {
  const { id } = await createProduct(stack.products, 'Dead tea')
  const products = new pg.Client({ connectionString: `${stack.postgres}/products` })
  await products.connect()
  try {
    const statusOfIt = async () => (await products.query('SELECT status FROM events WHERE key = $1', [id])).rows
    // Else the relay would settle it as accepted afterwards.
    await expect.poll(statusOfIt, HEALED).toEqual([{ status: 'processed' }])
    await products.query(`UPDATE events SET status = 'dead', last_error = 'AccessDenied: no right' WHERE key = $1`, [
      id,
    ])
    expect(await secondsUntil('a dead event', /^1 thing needs you\.$/)).toBeLessThan(30)
    await askStatus('a dead event', /1 dead event: AccessDenied/)
    await products.query(`UPDATE events SET status = 'processed' WHERE key = $1`, [id])
  } finally {
    await products.end()
  }
})

test('a poison message: the answer stands on the page', async () => {
  await stack.play({ fault: 'poison-message' })
  expect(await secondsUntil('a poison message', /^1 message fails at the consumer: /)).toBeLessThan(30)
  await askStatus('a poison message', /1 message failing now: /)
})
