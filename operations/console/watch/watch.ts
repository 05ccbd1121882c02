import type { Snapshot } from '../answers.ts'
import { type Instance, type Look, scrape } from '../../status/scrape.ts'
import { type History, POINT_SECONDS } from './history.ts'
import { snapshotOf } from './snapshot.ts'
import { createSource, lastOf } from './source.ts'
import type { Depths, NotificationsSide, ProductsSide } from './view.ts'

/** Fast enough to see an event travel, slow enough that one look costs next to nothing. */
const TICK_MS = 1_000
/** SQS bills each question. */
const QUEUE_EVERY_TICKS = 2
/** The answers of healthy sources are there by then; a slow one is shown when it comes. */
const PATIENCE_MS = 200
/** Rates between looks that are closer together jump. */
const RATE_OVER_LOOKS = 5

export interface Sources {
  instances: readonly Instance[]
  readProducts: () => Promise<ProductsSide>
  readNotifications: (eventIds: Promise<string[]>) => Promise<NotificationsSide>
  readQueue: () => Promise<Depths>
  written: History
  notified: History
}

/** One poller for all viewers. It asks nothing while nobody looks. */
export interface Watch {
  /** Calls `show` with the JSON of each snapshot, the latest at once. Returns the function that leaves. */
  enter(show: (json: string) => void): () => void
  /** A fresh snapshot, also when nobody looks. */
  look(): Promise<Snapshot>
  /** One look before anybody comes: the first one loads the code of the clients, which takes longer than the answers. */
  warmUp(): Promise<void>
  viewers(): number
  stop(): void
}

export function createWatch(sources: Sources): Watch {
  const viewers = new Set<(json: string) => void>()
  const products = createSource(sources.readProducts)
  const notifications = createSource(() => sources.readNotifications(eventIds()))
  const queue = createSource(sources.readQueue)
  const stopping = new AbortController()
  const processes = sources.instances.map((instance) => watchProcess(instance, stopping.signal))
  let latest: string | undefined
  let tick = 0
  let timer: NodeJS.Timeout | undefined
  let ticking: Promise<Snapshot> | undefined

  /** Those that were just read; a database that hangs must not hide the other one. */
  async function eventIds(): Promise<string[]> {
    await withinPatience([products.ask()])
    return (lastOf(products.known())?.events ?? []).map(({ event_id }) => event_id)
  }

  async function lookOnce(): Promise<Snapshot> {
    const asks = [products.ask(), notifications.ask(), ...processes.map(({ ask }) => ask())]
    if (tick++ % QUEUE_EVERY_TICKS === 0) asks.push(queue.ask())
    await withinPatience(asks)
    const now = Date.now()
    return snapshotOf(
      {
        now,
        before: processes.flatMap(({ before }) => before()),
        after: processes.flatMap(({ after }) => after()),
        products: products.known(),
        notifications: notifications.known(),
        queue: queue.known(),
      },
      { seconds: POINT_SECONDS, written: sources.written.points(now), notified: sources.notified.points(now) },
    )
  }

  const look = () => (ticking ??= lookOnce().finally(() => (ticking = undefined)))

  /** After a pause the rates would be those of the pause, and silence would have lasted since before it. */
  function forget(): void {
    latest = undefined
    tick = 0
    for (const source of [products, notifications, queue, ...processes]) source.forget()
  }

  async function run(): Promise<void> {
    latest = JSON.stringify(await look())
    for (const show of viewers) show(latest)
  }

  function schedule(): void {
    timer ??= setInterval(() => void run(), TICK_MS)
  }

  return {
    enter(show) {
      viewers.add(show)
      if (viewers.size > 1 && latest !== undefined) show(latest)
      else void run()
      schedule()
      return () => {
        viewers.delete(show)
        if (viewers.size > 0) return
        clearInterval(timer)
        timer = undefined
        forget()
      }
    },
    look,
    async warmUp() {
      await look()
      if (viewers.size === 0) forget()
    },
    viewers: () => viewers.size,
    stop() {
      stopping.abort()
      clearInterval(timer)
      viewers.clear()
    },
  }
}

/** The last looks at one process. A scrape waits for five seconds, and a silence of two is worth saying. */
function watchProcess(instance: Instance, signal: AbortSignal) {
  let looks: Look[] = []
  const source = createSource(async () => {
    looks = [...looks.slice(1 - RATE_OVER_LOOKS), await scrape(instance, signal)]
  })
  return {
    ask: source.ask,
    before: () => looks.slice(0, 1),
    after: (): Look[] => {
      const known = source.known()
      if (known.kind !== 'silent') return looks.slice(-1)
      return [{ ...instance, at: performance.now(), kind: 'silent', reason: known.reason }]
    },
    forget() {
      looks = []
      source.forget()
    },
  }
}

async function withinPatience(asks: Promise<void>[]): Promise<void> {
  const { promise: enough, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, PATIENCE_MS)
  await Promise.race([Promise.all(asks), enough])
  clearTimeout(timer)
}
