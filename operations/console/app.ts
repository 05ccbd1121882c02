import { createHttpApi, type HttpApi, refuseOtherSites } from '@product-events/http-api'
import type { AlbIssuer } from '@product-events/http-api'
import type { TokenIssuer } from '@product-events/process'
import type { Logger, Registry } from '@product-events/telemetry'
import { addActionRoutes, type ActionRoutesOptions } from './actions/routes.ts'
import { addFindRoute, type FindOptions } from './find/routes.ts'
import { addPageRoutes } from './page-routes.ts'
import type { PageFiles } from './page-files.ts'
import { addTrialRoutes } from './trial.ts'
import { addWatchRoutes } from './watch/routes.ts'
import type { Watch } from './watch/watch.ts'

export interface AppOptions extends ActionRoutesOptions, FindOptions {
  logger: Logger
  registry: Registry
  page: PageFiles
  watch: Watch
  /** Whose tokens callers need; undefined on loopback. */
  access: TokenIssuer | AlbIssuer | undefined
  /** Where `npm start` plays faults; undefined elsewhere. */
  controlUrl: string | undefined
}

const document = {
  title: 'console',
  description: 'Where is my event? What the console of product-events shows, and what an operator can do there.',
}
const scopes = { read: 'operations:read', write: 'operations:write' }

/** The console with all its routes. Opens nothing: `listen` it, or `inject` requests. */
export function buildApp(options: AppOptions): HttpApi {
  const { logger, registry, page, watch, access, controlUrl } = options
  const app = createHttpApi({ logger, registry, document, access: access && { issuer: access, scopes } })
  if (!access) refuseOtherSites(app)
  app.after(() => {
    addPageRoutes(app, page, registry)
    addWatchRoutes(app, watch, { scopes, tryIt: controlUrl !== undefined })
    addFindRoute(app, options)
    addActionRoutes(app, options)
    if (controlUrl !== undefined) addTrialRoutes(app, controlUrl)
  })
  return app
}
