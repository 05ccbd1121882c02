import { SetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { localCredentials } from '@product-events/local'
import { connectSqs, findQueueUrl } from '@product-events/queue'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { headline, openChromium, openPage, type WatchedPage } from './browser.ts'
import { type ConsoleRun, startWithConsole } from './run.ts'

/** Five seconds are promised, see watch.test.ts, and about one is measured. This is for a browser on a busy machine. */
const SEEN = { timeout: 20_000, interval: 50 }
/** A part that was killed starts again, and what waited leaves. */
const HEALED = { timeout: 90_000, interval: 200 }

let browser: Browser
let stack: ConsoleRun
let open: WatchedPage & AsyncDisposable
let page: Page
beforeAll(async () => {
  ;[browser, stack] = await Promise.all([openChromium(), startWithConsole()])
  open = await openPage(browser, `${stack.console}/#/trial`)
  page = open.page
  await page.getByText('SQS away 20 s').waitFor()
  await stack.play({ traffic: 5 })
  await page.getByRole('heading', { name: 'Every event arrives.' }).waitFor({ timeout: HEALED.timeout })
})
afterAll(async () => {
  await open[Symbol.asyncDispose]()
  await browser.close()
  await stack.stop()
})

/** Presses the button of a fault. Resolves with the seconds until the headline says so. */
async function play(title: string, said: RegExp): Promise<number> {
  await page.locator('.faults li', { hasText: title }).getByRole('button').click()
  const from = performance.now()
  await expect.poll(() => headline(page), SEEN).toMatch(said)
  return (performance.now() - from) / 1000
}

/** How long SQS hides a message after each receive: 30 s would make this test wait for two minutes. */
async function hideFor(seconds: number): Promise<void> {
  Object.assign(process.env, localCredentials)
  const sqs = connectSqs({
    endpoint: stack.sqs,
    region: localCredentials.AWS_REGION,
    requestTimeoutMs: 5_000,
    maxConnections: 1,
  })
  const QueueUrl = await findQueueUrl(sqs, 'product-notifications')
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: String(seconds) } }))
  sqs.destroy()
}

/** How many events or messages stand at a station. */
const heap = (station = 'Relay') => page.locator('.stop', { hasText: station }).locator('.heap i').count()
const isStopped = (station: string) => page.locator('.stop.wrong .name', { hasText: station }).count()

test('SQS away: the headline counts the events that wait, the heap grows, and both go', async () => {
  await play('SQS away', /^SQS is unreachable\./)
  await expect.poll(() => heap(), SEEN).toBeGreaterThan(3)
  expect(await headline(page)).toMatch(/\d+ events? waits? in the outbox, and none is lost\.$/)
  await expect.poll(() => headline(page), HEALED).toBe('Every event arrives.')
  expect(await heap()).toBe(0)
})

test('PostgreSQL away: the console says so without it, and goes on when it is back', async () => {
  await play('PostgreSQL away', /^PostgreSQL is unreachable\.$/)
  for (const station of ['Commit', 'Relay', 'Store']) expect(await isStopped(station), station).toBe(1)
  await expect.poll(() => headline(page), HEALED).toBe('Every event arrives.')
})

test('the relay killed: its process is named, and its lanes are owned again', async () => {
  await play('Kill the relay', /^product-service does not answer\.$|without a relay|No relay is alive/)
  // Its process also takes the writes, so there are none meanwhile; events on their way wait at the relay.
  expect((await isStopped('Request')) + (await isStopped('Relay'))).toBeGreaterThan(0)
  await expect.poll(() => headline(page), HEALED).toBe('Every event arrives.')
})

test('one event refused: it is dead and needs an operator, the others go on, and a redrive brings it through', async () => {
  await play('Refuse one event', /^1 thing needs you\.$/)
  const fault = page.locator('.faults li', { hasText: 'Refuse one event' }).getByRole('button')
  await expect.poll(() => fault.innerText(), HEALED).toBe('Play')
  await page.getByRole('link', { name: 'Needs you' }).click()
  await page.getByText('Message must be shorter than 1024 bytes').waitFor()
  await page.getByRole('button', { name: 'Redrive 1…' }).click()
  await page.getByText('Before you do it').waitFor()
  await page.getByLabel('Why').fill('the limit of the queue is back')
  await page.getByRole('button', { name: 'Redrive 1', exact: true }).click()
  await expect.poll(() => page.locator('table.done').innerText(), HEALED).toMatch(/1 published, 1 notified/)
  expect(await page.locator('table.done').innerText()).toContain('the limit of the queue is back')
  await expect.poll(() => headline(page), HEALED).toBe('Nothing needs you.')
})

test('a poison message: it shows at its first failure, blocks nothing, and can be deleted from the dead-letter queue', async () => {
  await page.goto(`${stack.console}/#/trial`)
  await hideFor(3)
  await play('A poison message', /^1 message fails at the consumer: /)
  expect(await heap('Receive')).toBe(1)
  // Five receives.
  await expect.poll(() => headline(page), { timeout: 120_000, interval: 500 }).toBe('1 thing needs you.')
  await page.getByRole('link', { name: 'Needs you' }).click()
  await page.getByRole('button', { name: 'Delete 1…' }).click()
  await page.getByLabel('Why').fill('it is no event')
  await page.getByRole('button', { name: 'Delete 1', exact: true }).click()
  await expect.poll(() => page.locator('table.done').innerText(), HEALED).toMatch(/1 deleted/)
  await expect.poll(() => headline(page), HEALED).toBe('Nothing needs you.')
}, 300_000)

test('a page left open through all of it has complained about nothing', () => {
  expect(open.complaints).toEqual([])
  expect([...open.origins]).toEqual([stack.console])
})
