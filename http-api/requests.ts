import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Histogram, type Registry } from 'telemetry'
import { pathOf } from './errors.ts'

/** What may go into a log and a header as it is. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/
/** From a read that hits the cache to a request that waited out the database's timeout of 5 s. */
const DURATION_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** The caller's X-Request-Id, so that one id follows a request through several services; else a new one. */
export function requestId(request: { headers: IncomingMessage['headers'] }): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID()
}

/** Answers with the request id, and logs and measures each request once it is answered. */
export function followRequests(app: FastifyInstance, record: RecordRequest): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    record(request, reply)
    done()
  })
  // The caller went away before its answer.
  app.addHook('onRequestAbort', (request, done) => {
    request.log.info({ method: request.method, url: pathOf(request.url) }, 'request aborted')
    done()
  })
}

/** Logs a request and counts its duration, once it is answered. */
export type RecordRequest = (request: FastifyRequest, reply: FastifyReply) => void

export function requestRecorder(registry: Registry): RecordRequest {
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the arrival of a request to the end of its answer, by route pattern',
    labelNames: ['method', 'route', 'status'],
    buckets: DURATION_BUCKETS_SECONDS,
    registers: [registry],
  })
  return (request, reply) => {
    const duration_ms = Math.round(reply.elapsedTime * 1000) / 1000
    // A path that is no route would make a new time series for each typo.
    const route = request.routeOptions.url ?? 'none'
    // A stream lasts for as long as its reader likes: that says nothing about how fast we answer.
    if (!isStream(reply))
      durations.observe({ method: request.method, route, status: reply.statusCode }, duration_ms / 1000)
    request.log.info(
      { method: request.method, url: pathOf(request.url), status: reply.statusCode, duration_ms },
      'request',
    )
  }
}

function isStream(reply: FastifyReply): boolean {
  return String(reply.getHeader('content-type')).startsWith('text/event-stream')
}
