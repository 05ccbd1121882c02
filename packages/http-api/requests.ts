import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Gauge, Histogram, type Logger, type Registry } from '@product-events/telemetry'
import { pathOf } from './errors.ts'
import { sampleLines } from './sample-lines.ts'
import { securityHeaders } from './security-headers.ts'
import { endRequestSpan, traceRequests } from './trace-requests.ts'

/** What may go into a log and a header as it is. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/
/** From a read that hits the cache to a request that waited out the database's timeout of 5 s. */
const DURATION_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** The caller's X-Request-Id, so that one id follows a request through several services; without one a new id. */
export function requestId(request: { headers: IncomingMessage['headers'] }): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID()
}

/** Answers with the request id, and logs, measures and traces each request. */
export function followRequests(app: FastifyInstance, record: RecordRequest): void {
  traceRequests(app)
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    reply.headers(securityHeaders)
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

/** Counts a request's duration, and logs it unless others stand for it, once it is answered. */
export type RecordRequest = (request: FastifyRequest, reply: FastifyReply) => void

type Durations = Histogram<'method' | 'route' | 'status'>

export function requestDurations(registry: Registry): Durations {
  return new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Seconds from the arrival of a request to the end of its answer, by route pattern',
    labelNames: ['method', 'route', 'status'],
    buckets: DURATION_BUCKETS_SECONDS,
    registers: [registry],
  })
}

export function countInFlight(registry: Registry, count: () => number): void {
  const gauge = new Gauge({
    name: 'http_requests_in_flight',
    help: 'Requests that are under way; above 256 they are turned away',
    registers: [],
    collect() {
      this.set(count())
    },
  })
  registry.registerMetric(gauge)
}

export function requestRecorder(durations: Durations): RecordRequest {
  const sample = sampleLines()
  return (request, reply) => {
    const duration_ms = Math.round(reply.elapsedTime * 1000) / 1000
    // An unknown path as label would make a new time series for each typo.
    const route = request.routeOptions.url ?? 'none'
    // A stream lasts for as long as its reader likes: that says nothing about how fast we answer.
    if (!isStream(reply))
      durations.observe({ method: request.method, route, status: reply.statusCode }, duration_ms / 1000)
    endRequestSpan(request, reply, route)
    if (request.reported) return
    const status = reply.statusCode
    const line = sample({ status, duration_ms })
    if (line.kind === 'written') {
      const fields = { method: request.method, url: pathOf(request.url), status, duration_ms }
      request.log.info(line.standsFor === 1 ? fields : { ...fields, sampled: line.standsFor }, 'request')
    }
  }
}

/** A line for each of them would be a load of its own, just when there is too much of it already. */
const REPORT_REFUSALS_EVERY_MS = 1_000

/** Counts the requests that are turned away because there are too many, and logs how many at most once a second. */
export function refusalRecorder(durations: Durations, logger: Logger): (method: string) => void {
  const report = refusalReporter(logger)
  return (method) => {
    durations.observe({ method, route: 'none', status: 503 }, 0)
    report()
  }
}

/** Logs at most once a second how many requests were turned away. */
export function refusalReporter(logger: Logger): () => void {
  let refused = 0
  let reportedAt = -Infinity
  return () => {
    refused++
    const now = performance.now()
    if (now - reportedAt < REPORT_REFUSALS_EVERY_MS) return
    logger.warn({ refused }, 'overloaded: requests are turned away with 503')
    refused = 0
    reportedAt = now
  }
}

function isStream(reply: FastifyReply): boolean {
  return String(reply.getHeader('content-type')).startsWith('text/event-stream')
}
