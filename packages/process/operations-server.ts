import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Registry } from '@product-events/telemetry'
import { boundConnections } from './connections.ts'
import { describePortError } from './start-error.ts'
import type { Readiness } from './readiness.ts'
import { share } from './share.ts'

/** Probes, Prometheus, consoles and people with curl: some dozens. The rest is a flood. */
const MAX_CONNECTIONS = 512
/** Far above what probes and scrapes need. Above it a connection gets one answer a second, so a flood costs little. */
const UNPACED_ANSWERS = 200
const SECOND_MS = 1_000
/** A GET without a body arrives within this time over any line. */
const REQUEST_TIMEOUT_MS = 5_000
/** Longer than the interval of a usual scrape, so that Prometheus keeps its connection. */
const KEEP_ALIVE_MS = 72_000

const PATHS = ['/metrics', '/health/live', '/health/started', '/health/ready']

export interface OperationsServerOptions {
  /** Names the server in the error of a port that is in use: `metrics and health of product-service`. */
  what: string
  host: string
  port: number
  registry: Registry
  readiness: Pick<Readiness, 'missing' | 'notStarted'>
}

interface Answer {
  status: number
  type: string
  body: string
  headers?: Record<string, string>
}

/**
 * The port for operators, apart from the API's: `/metrics` for Prometheus; `/health/live`: 200 while the process
 * answers; `/health/started`: 200 from the end of the start until SIGTERM; `/health/ready`: 200
 * while it can do its job. The last two answer 503 with the missing parts by name. Rejects when the port is taken.
 */
export async function startOperationsServer(options: OperationsServerOptions): Promise<Server> {
  const { what, host, port } = options
  const answer = createAnswers(options)
  const pauseMs = createPace()
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS },
    (request, response) => {
      respond(request, response).catch(() => response.destroy())
    },
  )
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pause = pauseMs(request.socket)
    if (pause > 0) await sleep(pause)
    const { status, type, body, headers } = await answer(request)
    response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), ...headers })
    response.end(body)
  }
  boundConnections(server, MAX_CONNECTIONS)
  server.listen(port, host)
  await once(server, 'listening').catch((error: Error) => {
    throw describePortError(error, what, port, 'METRICS_PORT')
  })
  return server
}

function createAnswers({ registry, readiness }: OperationsServerOptions) {
  const metrics = share(SECOND_MS, () => registry.metrics())
  return async ({ method, url = '/' }: IncomingMessage): Promise<Answer> => {
    const path = url.split('?', 1)[0] as string
    if (!PATHS.includes(path)) return json(404, { error: `The paths here are ${PATHS.join(', ')}.` })
    if (method !== 'GET' && method !== 'HEAD')
      return { ...json(405, { error: 'Only GET and HEAD are allowed here.' }), headers: { allow: 'GET, HEAD' } }
    if (path === '/health/live') return json(200, { status: 'live' })
    if (path === '/health/started') return health('started', readiness.notStarted())
    if (path === '/health/ready') return health('ready', await readiness.missing())
    try {
      return { status: 200, type: registry.contentType, body: await metrics() }
    } catch {
      return json(500, { error: 'The metrics could not be collected.' })
    }
  }
}

function health(state: string, missing: Record<string, string>): Answer {
  return Object.keys(missing).length === 0
    ? json(200, { status: state })
    : json(503, { status: `not ${state}`, missing })
}

function json(status: number, body: object): Answer {
  return { status, type: 'application/json', body: `${JSON.stringify(body)}\n` }
}

/** Milliseconds that the answer on a connection must wait: 0 unless there are too many answers in this second. */
function createPace(): (socket: Socket) => number {
  const nextAnswerAt = new WeakMap<Socket, number>()
  let secondEnds = 0
  let answers = 0
  return (socket) => {
    const now = performance.now()
    if (now >= secondEnds) {
      secondEnds = now + SECOND_MS
      answers = 0
    }
    answers++
    const at = answers > UNPACED_ANSWERS ? Math.max(now, nextAnswerAt.get(socket) ?? 0) : now
    nextAnswerAt.set(socket, at + SECOND_MS)
    return at - now
  }
}
