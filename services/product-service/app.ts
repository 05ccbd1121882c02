import type { TokenIssuer } from '@product-events/process'
import type { DatabaseWatch } from '@product-events/process/service'
import { addLandingPage, createHttpApi, type HttpApi } from '@product-events/http-api'
import type pg from 'pg'
import type { Logger, Registry } from '@product-events/telemetry'
import { createMetrics } from './metrics.ts'
import { addProductRoutes } from './products/routes.ts'

export interface AppOptions {
  logger: Logger
  registry: Registry
  pool: pg.Pool
  /** Called after each commit: there is an event to publish. */
  nudge: () => void
  /** Whose tokens callers need; undefined when callers need none. */
  access: TokenIssuer | undefined
  /** Learns of requests that the database fails. */
  database?: DatabaseWatch
}

const document = {
  title: 'product-service',
  description: 'Products. Each change writes an event in the same transaction.',
}
const links = [
  { name: 'docs', path: '/docs', text: 'each call, with its command' },
  { name: 'products', path: '/products', text: 'the newest products' },
  { name: 'openapi', path: '/openapi.json', text: 'the API for programs' },
]
const scopes = { read: 'products:read', write: 'products:write' }
/** Upper bound on queued requests. Normal load stays below it: only callers that retry exceed it. */
const MAX_WAITING_FOR_DATABASE = 300

/** The API with all its routes. Opens nothing: `listen` it, or `inject` requests. */
export function buildApp({ logger, registry, pool, nudge, access, database }: AppOptions): HttpApi {
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
    addProductRoutes(app, { pool, metrics: createMetrics(registry), nudge })
    addLandingPage(app, { ...document, links })
  })
  return app
}
