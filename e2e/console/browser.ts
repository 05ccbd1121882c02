import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const ARGS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
]

/** Headless Chromium of the system. CI installs it. */
export function openChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGS })
}

export interface WatchedPage {
  page: Page
  /** The origins of all requests, and everything that the page complained about. */
  origins: Set<string>
  complaints: string[]
}

/** A page whose requests and errors are recorded. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage & AsyncDisposable> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, ...options })
  const page = await context.newPage()
  const origins = new Set<string>()
  const complaints: string[] = []
  page.on('request', (request) => origins.add(new URL(request.url()).origin))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    // A request that is refused on purpose is not a fault of the page.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) complaints.push(message.text())
  })
  await page.goto(url)
  return { page, origins, complaints, [Symbol.asyncDispose]: () => context.close() }
}

/** The headline of the page as it is now. */
export function headline(page: Page): Promise<string> {
  return page.locator('h1').innerText()
}
