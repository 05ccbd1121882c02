import { type Instance, type Look, scrape } from '../../status/scrape.ts'
import type { Snapshot } from '../answers.ts'
import { type History, POINT_SECONDS } from './history.ts'
import { snapshotOf } from './snapshot.ts'
import { createSource, lastOf } from './source.ts'
import type { Depths, NotificationsSide, ProductsSide } from './view.ts'

/** SQS bills each question. */
const QUEUE_EVERY_LOOKS = 2
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

/** Asks every source at once, and makes one snapshot of the answers. */
export interface Survey {
  /** Waits 200 ms for the sources. Callers that overlap share one look. */
  look(): Promise<Snapshot>
  /** After a pause the rates would be those of the pause, and silence would have lasted since before it. */
  forget(): void
  /** Ends the scrapes that are under way. */
  stop(): void
}

export function createSurvey(sources: Sources): Survey {
  const products = createSource(sources.readProducts)
  const notifications = createSource(() => sources.readNotifications(eventIds()))
  const queue = createSource(sources.readQueue)
  const stopping = new AbortController()
  const processes = sources.instances.map((instance) => watchProcess(instance, stopping.signal))
  let looks = 0
  let looking: Promise<Snapshot> | undefined

  /** Those that were just read; a database that hangs must not hide the other one. */
  async function eventIds(): Promise<string[]> {
    await withinPatience([products.ask()])
    return (lastOf(products.known())?.events ?? []).map(({ event_id }) => event_id)
  }

  async function lookOnce(): Promise<Snapshot> {
    const asks = [products.ask(), notifications.ask(), ...processes.map(({ ask }) => ask())]
    if (looks++ % QUEUE_EVERY_LOOKS === 0) asks.push(queue.ask())
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

  return {
    look: () => (looking ??= lookOnce().finally(() => (looking = undefined))),
    forget() {
      looks = 0
      for (const source of [products, notifications, queue, ...processes]) source.forget()
    },
    stop: () => stopping.abort(),
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
