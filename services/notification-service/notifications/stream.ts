import { type HttpApi, HttpProblem, leavePlace, problemResponses } from '@product-events/http-api'
import { databaseOutage } from '@product-events/outages'
import type pg from 'pg'
import { type Static, Type } from 'typebox'
import type { LogLines } from '../log-lines.ts'
import type { EnterFeed, Feed } from './feed.ts'
import { type Filter, filterOf } from './filter.ts'
import { findPlace, type FoundPlace } from './find-place.ts'
import { follow, type Followed } from './follow.ts'
import { createOpenStreams, HEARTBEAT_MS, streamCaller } from './open-streams.ts'
import { FilterQuery } from './schemas.ts'
import { createTurns } from './turns.ts'

/** When a reader whose stream ended reconnects, in milliseconds: another instance is there at once. */
const RECONNECT_MS = 2_000
/** When one reconnects that could not be served: spread, since many of them may be told so at once. */
const COME_AGAIN_MS = { min: 5_000, max: 15_000 }
/** Streams that read the table at once: of the connections to the database most are for requests. */
const MOST_READS = 2

const Headers = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({
      format: 'uuid',
      examples: ['00000000-0000-0000-0000-000000000000'],
      description:
        'The id of the last notification that the reader has seen: the stream resumes behind it. Without it the stream ' +
        'begins with the next notification; with the id of zeros it begins with the oldest notification there is. If ' +
        'the notification is gone, because its retention ended or the database was restored to an earlier state, the ' +
        'stream begins with the event `reset`, and resumes a minute before the time in the id: some notifications may ' +
        'come again, and some may be missing.',
    }),
  ),
})

const EventStream = {
  description:
    'Server-sent events, one for each notification: `id` is its id, `data` the notification as JSON. The stream ends when ' +
    'its token expires, when the service stops, and when the database is set back to an earlier state; a reader that reads ' +
    'too slowly is cut off. All of them resume with `Last-Event-ID`. If the service can not serve the stream just now, ' +
    'a reader that accepts `text/event-stream` gets an empty stream with a `retry` time, since a browser gives up after a 503.',
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
  enterFeed: EnterFeed
  log: LogLines
  heartbeatMs?: number
}

interface StreamRequest {
  query: Static<typeof FilterQuery>
  headers: Static<typeof Headers>
}

/** `GET /notifications/stream`. When the API closes, every stream is ended after the block that it is sending. */
export function streamRoute(app: HttpApi, { pool, enterFeed, log, heartbeatMs = HEARTBEAT_MS }: StreamOptions): void {
  const streams = createOpenStreams(heartbeatMs)
  const inTurn = createTurns(MOST_READS)
  app.addHook('preClose', (done) => {
    streams.close()
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
    async handler(request, reply) {
      const place = streams.take(streamCaller(request))
      if (typeof place === 'string') return comeAgain(request.raw.headers.accept, reply, place)
      // However the request ends, and also if the stream never began.
      reply.raw.once('close', place.leave)
      try {
        const followed = await open(request)
        place.opened(followed, request.tokenExpiresAt)
        if (reply.raw.destroyed) followed.stream.destroy()
        leavePlace(app.server, reply.raw)
        return sendStream(reply, followed.stream)
      } catch (error) {
        if (databaseOutage(error) === undefined) throw error
        return comeAgain(request.raw.headers.accept, reply, 'The database can not be reached just now.')
      }
    },
  })

  async function open({ query, headers }: StreamRequest): Promise<Followed> {
    const feed = await enterFeed()
    try {
      const lastEventId = headers['last-event-id']
      const found = lastEventId === undefined ? undefined : await inTurn(() => findPlace(pool, lastEventId))
      if (lastEventId !== undefined && !found) throw notOurs()
      return followFeed(feed, filterOf(query), found)
    } catch (error) {
      feed.leave()
      throw error
    }
  }

  function followFeed(feed: Feed, filter: Filter, found: FoundPlace | undefined): Followed {
    const after = found?.place ?? feed.newest()
    // A reader that is cut off at once has a place, too.
    const start = `retry: ${RECONNECT_MS}\nid: ${after.id}\n\n`
    const opening = found?.exact === false ? `${start}event: reset\ndata: {}\n\n` : start
    const onTooSlow = log.streamCutOff
    const followed = follow({ pool, feed, filter, after, opening, inTurn, onTooSlow })
    feed.setBack.addEventListener('abort', followed.end)
    followed.stream.once('close', () => {
      feed.setBack.removeEventListener('abort', followed.end)
      feed.leave()
    })
    if (feed.setBack.aborted) followed.end()
    return followed
  }
}

/** As much of Fastify's reply as a stream needs. */
interface StreamReply {
  headers(headers: Record<string, string>): unknown
  send(content: Followed['stream'] | string): unknown
}

function sendStream<Reply extends StreamReply>(reply: Reply, content: Followed['stream'] | string): Reply {
  void reply.headers({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // Nginx would keep the events until it has a page of them.
    'x-accel-buffering': 'no',
    // When the stream ends so does its connection: no other request waits on it.
    connection: 'close',
  })
  void reply.send(content)
  return reply
}

/** A browser's EventSource reconnects after a stream that ends, and gives up after a 503. */
function comeAgain<Reply extends StreamReply>(accept: string | undefined, reply: Reply, reason: string): Reply {
  if (!accept?.includes('text/event-stream')) throw new HttpProblem('unavailable', reason)
  const { min, max } = COME_AGAIN_MS
  return sendStream(reply, `retry: ${Math.round(min + Math.random() * (max - min))}\n: ${reason}\n\n`)
}

function notOurs(): HttpProblem {
  return new HttpProblem('invalid-request', 'The Last-Event-ID is no id of a notification.', [
    { field: 'last-event-id', message: 'must be the id of a notification, or the id of zeros' },
  ])
}
