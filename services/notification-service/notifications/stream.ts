import { Readable } from 'node:stream'
import { type HttpApi, HttpProblem, leavePlace, problemResponses } from '@product-events/http-api'
import type pg from 'pg'
import { Type } from 'typebox'
import type { LogLines } from '../log-lines.ts'
import type { FeedSource } from './feed.ts'
import { type Filter, filterOf } from './filter.ts'
import { follow, type Told } from './follow.ts'
import { findPlace, type Place } from './read-on.ts'
import { FilterQuery } from './schemas.ts'

/** Shorter than the 30 s after which a silent connection is closed, here and by the usual proxies. */
export const HEARTBEAT_MS = 15_000
/** When a reader whose stream ended comes again, in milliseconds: another instance is there at once. */
const RECONNECT_MS = 2_000
/** Half of the file descriptors that a process usually may have open. */
export const MOST_STREAMS = 500

const Headers = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({
      format: 'uuid',
      examples: ['00000000-0000-0000-0000-000000000000'],
      description:
        'The id of the last notification that the reader has seen: the stream goes on behind it. Without it the stream ' +
        'begins with what comes next; with the id of zeros it begins with the oldest notification there is.',
    }),
  ),
})

const EventStream = {
  description:
    'Server-sent events, one for each notification: `id` is its id, `data` the notification as JSON. It never ends by ' +
    'itself; whoever is cut off, or reads too slowly to be kept, goes on with `Last-Event-ID`.',
  content: {
    'text/event-stream': {
      schema: Type.String({
        examples: ['id: 01997c1e-8f5a-7c44-b1c3-3a3d0d6c1f10\ndata: {"id":"01997c1e-8f5a-…"}\n\n'],
      }),
    },
  },
}

export interface StreamOptions {
  pool: pg.Pool
  feed: FeedSource
  log: LogLines
  heartbeatMs?: number
}

/** `GET /notifications/stream`. When the API closes, every stream is ended after what it was sending. */
export function streamRoute(app: HttpApi, { pool, feed, log, heartbeatMs = HEARTBEAT_MS }: StreamOptions): void {
  let streams = 0
  const closing = new AbortController()
  app.addHook('preClose', (done) => {
    closing.abort()
    done()
  })

  app.route({
    method: 'GET',
    url: '/notifications/stream',
    // A HEAD would open a stream and never read it.
    exposeHeadRoute: false,
    schema: {
      operationId: 'followNotifications',
      summary: 'Follow notifications as they come',
      querystring: FilterQuery,
      headers: Headers,
      response: { 200: EventStream, ...problemResponses(400, 500, 503) },
    },
    async handler({ query, headers }, reply) {
      if (streams >= MOST_STREAMS || closing.signal.aborted)
        throw new HttpProblem('unavailable', 'There are as many streams open as this service can keep.')
      // Counted before anything is waited for, and until nothing is left of it.
      streams += 1
      // A generator that waits can't be closed from outside: this ends its wait.
      const gone = new AbortController()
      reply.raw.once('close', () => gone.abort())
      try {
        const stream = await open(filterOf(query), headers['last-event-id'], gone.signal)
        void reply.headers({
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-store',
          // Nginx would keep the events until it has a page of them.
          'x-accel-buffering': 'no',
          // When the stream ends so does its connection: nobody waits for another request on it.
          connection: 'close',
        })
        leavePlace(app.server, reply.raw)
        return reply.send(stream)
      } catch (error) {
        streams -= 1
        throw error
      }
    },
  })

  async function open(filter: Filter, lastEventId: string | undefined, gone: AbortSignal): Promise<Readable> {
    const live = await feed.enter()
    try {
      const after = lastEventId === undefined ? live.newest() : await placeOf(pool, lastEventId)
      const told = follow({
        pool,
        feed: live,
        filter,
        after,
        quietMs: heartbeatMs,
        signal: AbortSignal.any([gone, closing.signal]),
        onTooSlow() {
          if (stream.destroyed) return
          log.streamCutOff()
          stream.destroy()
        },
      })
      const stream = Readable.from(serverSentEvents(after, told), { objectMode: false })
      // However it ends, and also if it never began.
      stream.once('close', () => {
        feed.leave()
        streams -= 1
      })
      return stream
    } catch (error) {
      feed.leave()
      throw error
    }
  }
}

async function placeOf(pool: pg.Pool, lastEventId: string): Promise<Place> {
  const place = await findPlace(pool, lastEventId)
  if (place) return place
  throw new HttpProblem('invalid-request', 'There is no notification from which to go on without a gap.', [
    { field: 'last-event-id', message: 'must be the id of a notification that is still there' },
  ])
}

/** The text of the stream. It begins with the reader's place, so that one that is cut off at once has a place as well. */
async function* serverSentEvents(after: Place, told: AsyncIterable<Told>): AsyncGenerator<string, void> {
  yield `retry: ${RECONNECT_MS}\nid: ${after.id}\n\n`
  for await (const next of told) {
    // A quiet reader moves on as well: where there is a filter, its last notification may be long gone.
    if (next.kind === 'quiet') yield `: heartbeat\nid: ${next.place.id}\n\n`
    else
      yield next.placed.map(({ id, notification }) => `id: ${id}\ndata: ${JSON.stringify(notification)}\n\n`).join('')
  }
}
