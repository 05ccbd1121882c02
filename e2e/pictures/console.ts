import type { Browser, Page } from 'playwright-core'
import { createProduct } from '../api.ts'

/** As wide as a page of documentation shows without making the letters small. */
const SIZE = { width: 1180, height: 620 }
/** A dead event takes ten seconds; a busy machine takes its time. */
const PATIENCE = { timeout: 120_000 }

/** The pages Find and Needs you of a running stack: one product with three events, and one dead event. */
export async function photographConsole(
  browser: Browser,
  console: string,
  products: string,
): Promise<Record<'console-find.png' | 'console-needs.png', Buffer>> {
  const product = await createProduct(products, 'Green tea')
  for (const price of [4.75, 5]) {
    const headers = { 'content-type': 'application/json' }
    await fetch(`${products}/products/${product.id}`, { method: 'PATCH', headers, body: JSON.stringify({ price }) })
  }
  const context = await browser.newContext({ viewport: SIZE, deviceScaleFactor: 2, colorScheme: 'light' })
  try {
    const page = await context.newPage()
    await page.goto(`${console}/#/find?id=${product.id}`)
    await page.getByRole('heading', { name: /^Notified/ }).waitFor(PATIENCE)
    await page.locator('.events tbody tr').nth(2).waitFor(PATIENCE)
    const find = await page.screenshot()
    await killOneEvent(console)
    await page.goto(`${console}/#/needs`)
    await page.getByRole('button', { name: 'Redrive 1…' }).click(PATIENCE)
    await page.getByText('Before you do it').waitFor(PATIENCE)
    return { 'console-find.png': find, 'console-needs.png': await stillOf(page) }
  } finally {
    await context.close()
  }
}

/** Once the dry run has answered. */
async function stillOf(page: Page): Promise<Buffer> {
  await page.getByText(/in the order of/).waitFor(PATIENCE)
  return page.screenshot()
}

async function killOneEvent(console: string): Promise<void> {
  const response = await fetch(`${console}/api/trial`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ fault: 'refuse-event' }),
  })
  if (!response.ok) throw new Error(`the console answered ${response.status} to the fault`)
}
