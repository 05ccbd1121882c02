import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

/** Where Debian, Ubuntu and Fedora put it. */
const programs = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Headless Chromium. Throws an error that says how to get one when there is none. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = programs.find((program) => existsSync(program))
  if (executablePath === undefined) {
    throw new Error(
      `pictures need Chromium, and there is none of ${programs.join(', ')}. On Debian: ` +
        'apt-get install --no-install-recommends chromium fonts-dejavu-core fonts-noto-color-emoji',
    )
  }
  // Its sandbox needs rights that containers do not give; it shows only pages of ours. Letters whose edges are coloured
  // make a picture twice as large.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-lcd-text'] })
}

/** The element `main` of a page, with some room around it, as a PNG. */
export async function photographHtml(browser: Browser, html: string): Promise<Buffer> {
  const page = await browser.newPage({ viewport: { width: 1000, height: 600 }, deviceScaleFactor: 2 })
  await page.setContent(html)
  const picture = await page.locator('body').screenshot()
  await page.close()
  return picture
}

/** The top of a page, as much as a window shows. */
export async function photographUrl(browser: Browser, url: string): Promise<Buffer> {
  const page = await browser.newPage({ viewport: { width: 1000, height: 760 }, deviceScaleFactor: 2 })
  await page.goto(url)
  const picture = await page.screenshot()
  await page.close()
  return picture
}
