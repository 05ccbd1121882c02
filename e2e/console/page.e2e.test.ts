import { createRequire } from 'node:module'
import { readFile } from 'node:fs/promises'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createProduct } from '../api.ts'
import { headline, openChromium, openPage } from './browser.ts'
import { missedBudgets } from './first-view.ts'
import { startPrefixProxy } from './prefix-proxy.ts'
import { type ConsoleRun, startWithConsole } from './run.ts'

const SOON = { timeout: 30_000, interval: 100 }

let browser: Browser
let stack: ConsoleRun
beforeAll(async () => {
  ;[browser, stack] = await Promise.all([openChromium(), startWithConsole()])
})
afterAll(async () => {
  await browser.close()
  await stack.stop()
})

test('a product made by the API reaches step 7 in the page, and no request leaves the origin', async () => {
  await using open = await openPage(browser, stack.console)
  const { page, origins, complaints } = open
  await expect.poll(() => page.locator('.live').innerText(), SOON).toBe('live')
  await createProduct(stack.products, 'Travelling tea')
  const row = page.locator('tr', { hasText: 'Travelling tea' })
  await expect.poll(() => row.locator('.cells .on').count(), SOON).toBe(7)
  expect(await row.innerText()).toContain('notified')
  await expect.poll(() => headline(page), SOON).toBe('Every event arrives.')
  expect([...origins]).toEqual([stack.console])
  expect(complaints).toEqual([])
})

test('the page of a checkout is as small as that of a build', async () => {
  expect(await missedBudgets(browser, stack.console)).toEqual([])
})

test('keys: / searches, j and k select, Enter opens, p pauses, ? explains', async () => {
  await createProduct(stack.products, 'First by keys')
  await createProduct(stack.products, 'Second by keys')
  await using open = await openPage(browser, stack.console)
  const { page } = open
  await page.locator('tr', { hasText: 'Second by keys' }).waitFor()
  const selected = page.locator('tr.selected')
  await page.keyboard.press('p')
  await expect.poll(() => page.locator('.live').innerText(), SOON).toBe('paused')
  await page.keyboard.press('j')
  await expect.poll(() => selected.innerText(), SOON).toContain('First by keys')
  await page.keyboard.press('k')
  await expect.poll(() => selected.innerText(), SOON).toContain('Second by keys')
  await page.keyboard.press('?')
  expect(await page.locator('dialog[open]').innerText()).toContain('pause or resume')
  await page.keyboard.press('Escape')
  await page.keyboard.press('Enter')
  await expect.poll(() => headline(page), SOON).toMatch(/^Notified \d/)
  expect(page.url()).toContain('#/find?id=')
  await page.keyboard.press('/')
  await page.keyboard.type('not an id')
  await page.keyboard.press('Enter')
  await expect.poll(() => headline(page), SOON).toBe('This is no id.')
})

test('below a prefix, behind a proxy, everything works', async () => {
  await using proxy = await startPrefixProxy(stack.console, '/operations/console')
  await createProduct(stack.products, 'Behind a proxy')
  await using open = await openPage(browser, `${proxy.origin}/operations/console/`)
  const { page, origins, complaints } = open
  await page.locator('tr', { hasText: 'Behind a proxy' }).getByRole('link').click()
  await expect.poll(() => headline(page), SOON).toMatch(/^Notified/)
  await page.getByRole('link', { name: 'Needs you' }).click()
  await expect.poll(() => headline(page), SOON).toBe('Nothing needs you.')
  expect([...origins]).toEqual([proxy.origin])
  expect(proxy.outside()).toEqual([])
  expect(complaints).toEqual([])
})

test('the state is in the URL: a copied link shows the same event and the same part of it', async () => {
  const { id } = await createProduct(stack.products, 'Linked tea')
  await using first = await openPage(browser, `${stack.console}/#/find?id=${id}`)
  await first.page.getByRole('button', { name: 'Row' }).click()
  await first.page.getByText('"lane"').waitFor()
  await using second = await openPage(browser, first.page.url())
  await second.page.getByText('"lane"').waitFor()
  expect(await headline(second.page)).toBe(await headline(first.page))
})

test('payloads are hidden on request', async () => {
  const { id } = await createProduct(stack.products, 'Confidential tea')
  await using open = await openPage(browser, `${stack.console}/#/find?id=${id}&hide=1`)
  await open.page.getByText('Payloads are hidden.').waitFor()
  await open.page.getByRole('link', { name: 'Path' }).click()
  await open.page.locator('tr.selected').waitFor()
  expect(await open.page.locator('body').innerText()).not.toContain('Confidential tea')
})

test('"Copy as text" gives the screen for an incident channel', async () => {
  await createProduct(stack.products, 'Copied tea')
  await using open = await openPage(browser, stack.console, { permissions: ['clipboard-read', 'clipboard-write'] })
  await open.page.locator('tr.selected').waitFor()
  const copied = async () => {
    await open.page.getByRole('button', { name: 'Copy as text' }).click()
    await open.page.getByText('Copied as text').waitFor()
    return (await open.page.evaluate('navigator.clipboard.readText()')) as string
  }
  // The screen may be that of a moment in which something was still on its way.
  await expect.poll(copied, SOON).toMatch(/^Every event arrives\.[^]*^3 Relay +ok/m)
})

const pages = ['path', 'find', 'needs', 'relays', 'actions', 'trial']
const looks = [
  { colorScheme: 'light' as const, width: 1440 },
  { colorScheme: 'dark' as const, width: 1440 },
  { colorScheme: 'light' as const, width: 390 },
  { colorScheme: 'dark' as const, width: 390 },
]

test.each(looks)(
  'axe finds no violation, and nothing is wider than the screen: $colorScheme, $width px',
  async (look) => {
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
    const { id } = await createProduct(stack.products, 'Accessible tea')
    const { colorScheme, width } = look
    await using open = await openPage(browser, stack.console, { colorScheme, viewport: { width, height: 900 } })
    await open.page.locator('.line').waitFor()
    await open.page.evaluate(axe)
    for (const name of pages) {
      await open.page.goto(`${stack.console}/#/${name}${name === 'find' ? `?id=${id}` : ''}`)
      await open.page.locator('main h1').waitFor()
      await open.page
        .locator(name === 'find' ? '.way' : 'main .card')
        .first()
        .waitFor()
      const violations = (await open.page.evaluate(
        `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`,
      )) as string[]
      expect(violations, name).toEqual([])
      expect(await open.page.evaluate('document.documentElement.scrollWidth'), name).toBeLessThanOrEqual(width)
    }
  },
)

test('without motion nothing moves', async () => {
  await using open = await openPage(browser, stack.console, { reducedMotion: 'reduce' })
  await stack.play({ traffic: 10 })
  await open.page.locator('.dot').first().waitFor()
  const animations = await open.page.evaluate(`document.getAnimations().length`)
  await stack.play({ traffic: 0 })
  expect(animations).toBe(0)
})
