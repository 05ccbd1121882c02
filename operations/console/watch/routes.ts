import { Readable } from 'node:stream'
import { type HttpApi, HttpProblem, leavePlace, problemResponses } from '@product-events/http-api'
import { Type } from 'typebox'
import { Me, Snapshot } from '../answers.ts'
import type { Watch } from './watch.ts'

/** A browser opens one. Beyond this something opens streams and leaves them. */
const MOST_STREAMS = 100
/** The page connects again at once; a token that was withdrawn sees no more than this. */
const STREAM_LIFE_MS = 5 * 60_000
/** A reader that takes no snapshot for this long misses some; it gets the next one whole. */
const MOST_WAITING_BYTES = 256 * 1024

const EventStream = {
  description: 'Server-sent events: a Snapshot as `data`, about every second. It ends after five minutes.',
  content: {
    'text/event-stream': { schema: Type.String({ examples: ['data: {"at":"2026-01-31T12:00:00.000Z"}\n\n'] }) },
  },
}

export interface WatchRoutesOptions {
  scopes: { read: string; write: string }
  tryIt: boolean
}

export function addWatchRoutes(app: HttpApi, watch: Watch, { scopes, tryIt }: WatchRoutesOptions): void {
  app.addHook('preClose', (done) => {
    watch.stop()
    done()
  })

  const me = { operationId: 'whoAmI', summary: 'Who is signed in', response: { 200: Me, ...problemResponses(500) } }
  app.get('/api/me', { schema: me }, ({ subject, scopes: own }) => ({
    subject: subject === '' ? 'local' : subject,
    scopes: own ? [...own] : [scopes.read, scopes.write],
    try_it: tryIt,
  }))

  const snapshot = {
    operationId: 'getSnapshot',
    summary: 'See the seven steps once',
    response: { 200: Snapshot, ...problemResponses(500, 503) },
  }
  app.get('/api/snapshot', { schema: snapshot }, () => watch.look())

  app.route({
    method: 'GET',
    url: '/api/stream',
    exposeHeadRoute: false,
    schema: {
      operationId: 'followSnapshots',
      summary: 'See the seven steps live',
      response: { 200: EventStream, ...problemResponses(500, 503) },
    },
    handler(_, reply) {
      if (watch.viewers() >= MOST_STREAMS) throw new HttpProblem('unavailable', 'Too many streams are open.')
      const stream = new Readable({ read() {} })
      const leave = watch.enter((json) => {
        if (stream.readableLength < MOST_WAITING_BYTES) stream.push(`data: ${json}\n\n`)
      })
      const timer = setTimeout(() => stream.push(null), STREAM_LIFE_MS)
      const gone = () => {
        clearTimeout(timer)
        leave()
      }
      stream.once('close', gone)
      reply.raw.once('close', () => stream.destroy())
      app.server.once('close', () => stream.destroy())
      void reply.headers({
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
        connection: 'close',
      })
      leavePlace(app.server, reply.raw)
      return reply.send(stream)
    },
  })
}
