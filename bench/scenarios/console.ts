import { freePort, startSqs } from '@product-events/local'
import { openBrowser } from '../../e2e/pictures/browser.ts'
import { HOUR, liveView } from '../console/live-view.ts'
import { startConsoles } from '../console/start-console.ts'
import { costOfViewers } from '../console/viewers.ts'
import type { Contestant, Figures, Scenario } from '../scenario.ts'
import { startBenchServer } from '../server.ts'

const DEAD_ROWS = 2_000

export const scenario: Scenario = {
  name: 'console',
  title: 'dead events grouped by the console, and what viewers cost: ten, one, nobody',
  chart: 'statements/s',
  seconds: { prepare: 45, round: 150 },
  async open({ quick, dir, say }) {
    const settings = { seconds: quick ? 2 : 10, looks: quick ? HOUR / 10 : HOUR }
    await using opening = new AsyncDisposableStack()
    const server = await startBenchServer(dir, { shared_preload_libraries: 'pg_stat_statements' })
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
    await products.query('CREATE EXTENSION pg_stat_statements')
    await products.query(
      `INSERT INTO events (event_id, key, type, payload, status, attempts, last_error)
       SELECT gen_random_uuid(), 'p' || n, 'product.created', '{}', 'dead', 10, 'AccessDenied: request ' || n || ' of key ' || n % 7
       FROM generate_series(1, $1::int) AS n`,
      [DEAD_ROWS],
    )
    const viewers = (count: number, name: string): Contestant => ({
      name,
      beside: 'one viewer',
      round: () => costOfViewers(count, { console: console.built, products, seconds: settings.seconds }),
    })
    const opened = opening.move()
    return {
      contestants: [
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
