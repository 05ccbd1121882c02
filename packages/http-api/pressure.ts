import { createServer, type RequestListener, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import { boundConnections } from '@product-events/process'
import { MEDIA_TYPE, problemBody, problems } from './problems.ts'
import { securityHeaders } from './security-headers.ts'

/**
 * A service that takes everything answers nothing: each request more makes all of them slower, until clients give up
 * and ask again. So there is a most, and what comes above it is turned away at once, before anything of it is read.
 */

/**
 * Requests under way. Enough to keep database and processor busy several times over; at a thousand answers a second the
 * last in the row waits a quarter of a second.
 */
export const MAX_IN_FLIGHT = 256
/**
 * Open connections: an idle one costs some ten kilobytes, one with half a request up to a hundred. See
 * `boundConnections`.
 */
export const MAX_CONNECTIONS = 4_096
/**
 * Connections that the system holds until the process takes them. With Node's 511 a burst is met with silence: the
 * caller believes itself connected, and sends again after one second, after three, after seven.
 */
export const BACKLOG = MAX_CONNECTIONS
/**
 * Above this the event loop is so far behind that new work only makes it worse. Garbage collection stays well below.
 */
const MAX_LOOP_LAG_MS = 500
/** Often enough to see a lag within a fraction of what clients wait. */
const LOOP_CHECK_EVERY_MS = 100
/** However late the loop is, this many may be under way: one long pause must not turn all callers away. */
const ALWAYS_IN_FLIGHT = 32

export interface Pressure {
  /** What the service itself has waiting (for a database connection, say) is as much as it should be. */
  isFull?: (() => boolean) | undefined
  /** Called for each request that is turned away. */
  onRefused: (method: string) => void
}

interface Places {
  /** Releases the place of a response that is still open. */
  leave(response: ServerResponse): void
  taken(): number
}
const places = new WeakMap<Server, Places>()

/**
 * A stream that stays open for hours frees its place among the requests in flight. The route that opens it bounds
 * streams.
 */
export function leavePlace(server: Server, response: ServerResponse): void {
  places.get(server)?.leave(response)
}

/** Requests under way, of at most `MAX_IN_FLIGHT`. */
export function requestsInFlight(server: Server): number {
  return places.get(server)?.taken() ?? 0
}

/** An HTTP server that calls `handle` for as many requests as can be under way, and answers the others with 503. */
export function createBoundedServer(options: ServerOptions, handle: RequestListener, pressure: Pressure): Server {
  const { isFull = () => false, onRefused } = pressure
  let inFlight = 0
  let lagMs = 0
  const done = () => void inFlight--
  const take: RequestListener = (request, response) => {
    const late = lagMs > MAX_LOOP_LAG_MS && inFlight >= ALWAYS_IN_FLIGHT
    if (inFlight >= MAX_IN_FLIGHT || late || isFull()) {
      refuse(response, request.url ?? '/')
      onRefused(request.method ?? 'GET')
      return
    }
    // A type without a body: its parser would wait for an end that never comes (`optimizeEmptyRequests`).
    if (request.readableEnded && request.method !== 'GET') delete request.headers['content-type']
    inFlight++
    // Comes once for every response, however it ends; 'finish' does not when the caller goes away.
    response.once('close', done)
    handle(request, response)
  }
  const server = createServer(options, take)
  // Else Node answers `Expect: something` itself, without a problem, and tells refused callers to go on.
  server.on('checkExpectation', take).on('checkContinue', take)
  // Node would drop those above 2,000 unseen. `maxHeaderSize` bounds them.
  server.maxHeadersCount = 0
  places.set(server, {
    leave(response) {
      if (!response.listeners('close').includes(done)) return
      response.off('close', done)
      done()
    },
    taken: () => inFlight,
  })
  boundConnections(server, MAX_CONNECTIONS)
  server.once('listening', () => {
    const timer = watchLoop((ms) => (lagMs = ms))
    server.once('close', () => clearInterval(timer))
  })
  return server
}

/** Tells every 100 ms by how much that was late. */
function watchLoop(tell: (lagMs: number) => void): NodeJS.Timeout {
  let last = performance.now()
  return setInterval(() => {
    const now = performance.now()
    tell(now - last - LOOP_CHECK_EVERY_MS)
    last = now
  }, LOOP_CHECK_EVERY_MS)
}

/** Costs next to nothing: no route is looked up, no body read, no line logged. */
function refuse(response: ServerResponse, url: string): void {
  const { status, retryAfterSeconds } = problems.overloaded
  const request_id = crypto.randomUUID()
  const end = url.indexOf('?')
  const instance = end === -1 ? url : url.slice(0, end)
  const detail = 'Too many requests are under way. Please try again.'
  const body = Buffer.from(JSON.stringify(problemBody('overloaded', { detail, instance, request_id })))
  response
    .writeHead(status, {
      ...securityHeaders,
      'content-type': MEDIA_TYPE,
      'content-length': body.length,
      'retry-after': String(retryAfterSeconds),
      'x-request-id': request_id,
    })
    .end(body)
}
