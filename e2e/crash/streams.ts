import { setTimeout as sleep } from 'node:timers/promises'
import { judgeStream } from '../history/stream.ts'
import type { CrashStack } from './crash-stack.ts'
import { readStream } from './stream-reader.ts'

/** A frozen connection of the database to the stream is given up within seconds, and a busy machine takes its time. */
const EQUAL_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 100

export interface Streams {
  /** Waits until every reader has seen exactly the list; resolves with what is still not so in the end. */
  untilEqual(): Promise<string[]>
  /** Connections of all readers: one each, and one more after each cut. */
  connections(): number
  stop(): Promise<void>
}

/** One reader of the stream at each notification-service, from behind the notification `after`. */
export function followStreams({ watched }: CrashStack, after: string, onLie: (what: string) => void): Streams {
  const readers = watched
    .filter(({ member }) => member.kind === 'consumer')
    .map(({ member, url }) => ({ name: `the stream of ${member.name}`, url, reader: readStream(url, after, onLie) }))

  async function judge(): Promise<string[]> {
    const judged = readers.map(async ({ name, url, reader }) =>
      judgeStream(name, reader.seen, await listAfter(url, after)),
    )
    return (await Promise.all(judged)).filter((lie) => lie !== undefined)
  }

  return {
    async untilEqual() {
      for (const until = performance.now() + EQUAL_WITHIN_MS; ; await sleep(LOOK_EVERY_MS)) {
        const lies = await judge().catch((error: Error) => [`the list can not be read: ${error.message}`])
        if (lies.length === 0 || performance.now() > until) return lies
      }
    },
    connections: () => readers.reduce((sum, { reader }) => sum + reader.connections(), 0),
    stop: async () => void (await Promise.all(readers.map(({ reader }) => reader.stop()))),
  }
}

/** The ids of `GET /notifications`, oldest first, behind the notification `after`. */
async function listAfter(url: string, after: string): Promise<string[]> {
  const ids: string[] = []
  for (let token: string | null = ''; token !== null;) {
    const response: Response = await fetch(
      `${url}/notifications?limit=100${token && `&token=${encodeURIComponent(token)}`}`,
    )
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
    const page = (await response.json()) as { notifications: { id: string }[]; next_page_token: string | null }
    const end = page.notifications.findIndex(({ id }) => id === after)
    ids.push(...page.notifications.slice(0, end < 0 ? undefined : end).map(({ id }) => id))
    token = end < 0 ? page.next_page_token : null
  }
  return ids.toReversed()
}
