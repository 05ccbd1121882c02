import type { TokenIssuer } from '@product-events/process'
import type { DatabaseWatch } from '@product-events/process/service'
import { addLandingPage, createHttpApi, type HttpApi } from '@product-events/http-api'
import { createOutageWatch } from '@product-events/outages'
import type pg from 'pg'
import type { Logger, Registry } from '@product-events/telemetry'
import type { LogLines } from './log-lines.ts'
import { createFeed } from './notifications/feed.ts'
import { notificationRoutes } from './notifications/routes.ts'
import { streamRoute } from './notifications/stream.ts'
import type { WakeUps } from './notifications/wake-ups.ts'

export interface AppOptions {
  pool: pg.Pool
  logger: Logger
  log: LogLines
  registry: Registry
  /** Whose tokens callers need; undefined when callers need none. */
  access: TokenIssuer | undefined
  /** Learns of requests that the database fails. */
  database?: DatabaseWatch
  /** Make the streams fast; without them they poll. */
  wakeUps?: WakeUps
  /** How often a stream says that it is alive, in milliseconds. */
  heartbeatMs?: number
}

const document = {
  title: 'notification-service',
  description: 'Notifications: one for each event of a product.',
}
const links = [
  { name: 'docs', path: '/docs', text: 'each call, with its command' },
  { name: 'notifications', path: '/notifications', text: 'the newest notifications' },
  { name: 'stream', path: '/notifications/stream', text: 'notifications as they come' },
  { name: 'openapi', path: '/openapi.json', text: 'the API for programs' },
]
/** Nothing can be changed here. */
const scopes = { read: 'notifications:read', write: 'notifications:read' }
/**
 * More than ever wait while each request under way wants a connection; only callers that give up and ask again get
 * there.
 */
const MAX_WAITING_FOR_DATABASE = 300

/** The HTTP API with its routes. It opens nothing: `listen` does. */
export function buildApp({ pool, logger, log, registry, access, database, wakeUps, ...options }: AppOptions): HttpApi {
  const app = createHttpApi({
    logger,
    registry,
    document,
    access: access && { issuer: access, scopes },
    ...(database && { database }),
    isFull: () => pool.waitingCount >= MAX_WAITING_FOR_DATABASE,
  })
  // The document has to know of each route that is added.
  app.after(() => {
    notificationRoutes(app, pool)
    const reachable = createOutageWatch({ lost: log.feedLost, back: log.feedBack })
    streamRoute(app, { pool, enterFeed: createFeed({ pool, reachable, wakeUps }), log, ...options })
    addLandingPage(app, { ...document, links })
  })
  return app
}
