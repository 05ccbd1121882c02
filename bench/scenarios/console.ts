import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { freePort, startSqs } from '@product-events/local'
import type { Browser } from 'playwright-core'
import { firstView, PAINT } from '../../e2e/console/first-view.ts'
import { openBrowser } from '../../e2e/pictures/browser.ts'
import { HOUR, liveView } from '../console/live-view.ts'
import { startConsoles } from '../console/start-console.ts'
import { costOfViewers } from '../console/viewers.ts'
import type { Contestant, Figures, Scenario } from '../scenario.ts'
import { startBenchServer } from '../server.ts'

const DEAD_ROWS = 2_000

export const scenario: Scenario = {
  name: 'console',
  title: 'the page of the console in Chromium, dead events grouped, and what viewers cost: ten, one, nobody',
  chart: 'paint ms',
  seconds: { prepare: 45, round: 150 },
  async open({ quick, dir, say }) {
    const settings = { seconds: quick ? 2 : 10, looks: quick ? HOUR / 10 : HOUR }
    await using opening = new AsyncDisposableStack()
    const server = await startBenchServer(dir)
    opening.defer(() => server.close())
    const emulator = await startSqs({ port: await freePort() })
    opening.defer(() => emulator.stop())
    say('building the console')
    const { products, console, close } = await startConsoles({
      postgresUrl: server.postgres.url,
      sqsEndpoint: emulator.endpoint,
      dir,
    })
    opening.defer(close)
    const browser = await openBrowser()
    opening.defer(() => browser.close())
    const blank = await blankPage()
    opening.defer(blank.close)
    await products.query(
      `INSERT INTO events (event_id, key, type, payload, status, attempts, last_error)
       SELECT gen_random_uuid(), 'p' || n, 'product.created', '{}', 'dead', 10, 'AccessDenied: request ' || n || ' of key ' || n % 7
       FROM generate_series(1, $1::int) AS n`,
      [DEAD_ROWS],
    )
    const viewed = (name: 'checkout' | 'built'): Contestant => ({
      name: `first view, ${name}`,
      beside: 'first view, built',
      round: async () => figuresOf(await firstView(browser, console[name].url)),
    })
    const viewers = (count: number, name: string): Contestant => ({
      name,
      beside: 'one viewer',
      round: () => costOfViewers(count, { console: console.built, products, seconds: settings.seconds }),
    })
    const opened = opening.move()
    return {
      contestants: [
        viewed('built'),
        viewed('checkout'),
        { name: 'a blank page', beside: 'first view, built', round: () => paintOf(browser, blank.url) },
        { name: `${DEAD_ROWS} dead events, grouped`, round: () => grouped(console.built.url) },
        viewers(1, 'one viewer'),
        viewers(10, 'ten viewers'),
        viewers(0, 'nobody'),
        {
          name: `live view, ${settings.looks} looks`,
          round: () => liveView(browser, console.built.url, settings.looks),
        },
      ],
      skipped: [],
      settings: { ...settings, deadRows: DEAD_ROWS, postgresql: server.settings, chromium: browser.version() },
      close: () => opened.disposeAsync(),
    }
  },
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

/** From the request to the whole answer. */
async function grouped(url: string): Promise<Figures> {
  const ask = async () =>
    (await (await fetch(`${url}api/needs?source=events`)).json()) as { groups: { count: number }[] }
  await ask()
  const from = performance.now()
  const { groups } = await ask()
  const milliseconds = performance.now() - from
  if (groups.length !== 1 || groups[0]?.count !== DEAD_ROWS) throw new Error(`the groups are ${JSON.stringify(groups)}`)
  return { 'grouped ms': milliseconds }
}
