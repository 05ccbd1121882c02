import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { freePort, startSqs } from '@product-events/local'
import type { Browser } from 'playwright-core'
import { firstView, PAINT } from '../../e2e/console/first-view.ts'
import { openBrowser } from '../../e2e/pictures/browser.ts'
import { startConsoles } from '../console/start-console.ts'
import type { Contestant, Figures, Scenario } from '../scenario.ts'
import { startBenchServer } from '../server.ts'
import { summarise } from '../statistics.ts'

/** Views a round; the median of them counts. */
const VIEWS = 5

export const scenario: Scenario = {
  name: 'first-view',
  title: 'the page of the console in Chromium with an empty cache: first paint, the seven steps, bytes',
  chart: 'data ms',
  seconds: { prepare: 45, round: 8 },
  async open({ quick, dir, say }) {
    const views = quick ? 1 : VIEWS
    await using opening = new AsyncDisposableStack()
    const server = await startBenchServer(dir)
    opening.defer(() => server.close())
    const emulator = await startSqs({ port: await freePort() })
    opening.defer(() => emulator.stop())
    say('building the console')
    const { console, close } = await startConsoles({
      postgresUrl: server.postgres.url,
      sqsEndpoint: emulator.endpoint,
      dir,
    })
    opening.defer(close)
    const browser = await openBrowser()
    opening.defer(() => browser.close())
    const blank = await blankPage()
    opening.defer(blank.close)
    const viewed = (name: 'checkout' | 'built'): Contestant => ({
      name,
      round: () => medianOfViews(views, async () => figuresOf(await firstView(browser, console[name].url))),
    })
    const opened = opening.move()
    return {
      contestants: [
        viewed('built'),
        viewed('checkout'),
        { name: 'a blank page', round: () => medianOfViews(views, () => paintOf(browser, blank.url)) },
      ],
      skipped: [],
      settings: { views, postgresql: server.settings, chromium: browser.version() },
      close: () => opened.disposeAsync(),
    }
  },
}

/** The median of each figure over `count` views, one after the other. */
async function medianOfViews(count: number, view: () => Promise<Figures>): Promise<Figures> {
  const seen: Figures[] = []
  for (let done = 0; done < count; done++) seen.push(await view())
  const names = Object.keys(seen[0] ?? {})
  return Object.fromEntries(names.map((name) => [name, summarise(seen.map((figures) => figures[name] ?? NaN)).median]))
}

function figuresOf({ paint, data, script, bytes }: Awaited<ReturnType<typeof firstView>>): Figures {
  return { 'paint ms': paint, 'data ms': data, 'script kB': script / 1024, 'all kB': bytes / 1024 }
}

/** What the browser and the machine take for any page. */
async function blankPage(): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((_, response) =>
    response.setHeader('content-type', 'text/html').end('<!doctype html><p>blank'),
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function paintOf(browser: Browser, url: string): Promise<Figures> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } })
  try {
    const page = await context.newPage()
    await page.goto(url)
    return { 'paint ms': (await page.evaluate(PAINT)) as number }
  } finally {
    await context.close()
  }
}
