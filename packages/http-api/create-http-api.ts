import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { fastify, type FastifyBaseLogger, type FastifyInstance, LogController, type RawServerDefault } from 'fastify'
import type { IncomingMessage, ServerOptions, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { TokenIssuer } from '@product-events/process'
import { cutText, type Logger, type Registry } from '@product-events/telemetry'
import type { AlbIssuer } from './alb-tokens.ts'
import { askForTokens, type Scopes } from './access.ts'
import { rememberMethods } from './allowed-methods.ts'
import { clientErrorAnswerer } from './client-error.ts'
import { createProblemHandler, pathOf, type ProblemReports } from './errors.ts'
import { addDocument } from './openapi.ts'
import { createBoundedServer, requestsInFlight } from './pressure.ts'
import { HttpProblem } from './problems.ts'
import { checkRequestShape, originForm } from './request-shape.ts'
import {
  countInFlight,
  followRequests,
  refusalRecorder,
  refusalReporter,
  requestDurations,
  requestId,
  requestRecorder,
} from './requests.ts'
import { closePolitely } from './stop.ts'
import { acceptJson, createValidatorCompiler } from './validation.ts'

/** The longest body of ours is a description of 2000 characters, 12 bytes each when escaped as surrogate pairs. */
const BODY_LIMIT_BYTES = 64 * 1024
/** URL and headers together. What Node takes by default, said here because the answer to a longer one names it. */
const MAX_HEADER_BYTES = 16 * 1024
/** An id is 36 characters; a longer parameter can't be one, and must not reach a regular expression. */
const MAX_PARAM_LENGTH = 200
/** Longer paths are not repeated whole in an answer. */
const MAX_SHOWN_PATH = 200
/** A request of 64 KiB arrives within this time on the slowest line that an API is used over. */
const REQUEST_TIMEOUT_MS = 10_000
/** Node looks for late requests every 30 s unless told otherwise. */
const CHECK_TIMEOUTS_EVERY_MS = 1_000
/** A connection on which nothing happens, neither sent nor received, though a request is under way. */
const CONNECTION_TIMEOUT_MS = 30_000
/** Longer than the 60 s of the usual load balancer, so that it is the balancer that closes an idle connection. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000

const serverOptions: ServerOptions = {
  maxHeaderSize: MAX_HEADER_BYTES,
  // `checkRequestShape` looks for it, and answers with a problem.
  requireHostHeader: false,
  headersTimeout: REQUEST_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  connectionsCheckingInterval: CHECK_TIMEOUTS_EVERY_MS,
  // A request that announces no body gets no stream for one: a twentieth of what a read costs.
  optimizeEmptyRequests: true,
}

export type HttpApi = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

export interface HttpApiOptions {
  logger: Logger
  /** Gets `http_request_duration_seconds` and `http_requests_in_flight`. */
  registry: Registry
  /** What the API is called and is for. With it, routes that are added `after` are in `/openapi.json` and `/docs`. */
  document?: { title: string; description: string }
  /** Whose tokens a request needs, with which scopes. Without it requests need none. */
  access?: { issuer: TokenIssuer | AlbIssuer; scopes: Scopes } | undefined
  /** Learns of requests that the database fails, and writes the lines about them. */
  database?: ProblemReports['database']
  /** True while the service has as much waiting as it should: then requests are turned away. */
  isFull?: () => boolean
}

/**
 * A Fastify instance that validates strictly, answers every error as an RFC 9457 problem, and gives each request an id,
 * a log line and a place in the metrics. It has no routes yet and opens nothing.
 */
export function createHttpApi({ logger, registry, document, access, database, isFull }: HttpApiOptions): HttpApi {
  const durations = requestDurations(registry)
  const record = requestRecorder(durations)
  const answerClientError = clientErrorAnswerer(logger)
  const sendProblem = createProblemHandler({ database, refused: refusalReporter(logger) })
  // Fastify's narrower type, which handlers see.
  const loggerInstance: FastifyBaseLogger = logger
  const app: HttpApi = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    genReqId: requestId,
    bodyLimit: BODY_LIMIT_BYTES,
    serverFactory: (handle) =>
      createBoundedServer(serverOptions, handle, { isFull, onRefused: refusalRecorder(durations, logger) }).setTimeout(
        CONNECTION_TIMEOUT_MS,
      ),
    // Compiled serializers would be for answers that are JSON text or small; compiling them took a tenth of a start.
    schemaController: {
      compilersFactory: {
        buildSerializer: () => () => JSON.stringify,
        // Its type is that of Ajv's own compiler; Fastify calls it like one for `setValidatorCompiler`.
        buildValidator: createValidatorCompiler as () => never,
      },
    },
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    rewriteUrl: ({ url = '/' }) => originForm(url),
    // A request that arrives on an open connection while the process stops is answered like any other.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // A URL that no route could be looked up for: it passes no hook.
    frameworkErrors(error, request, reply) {
      void sendProblem(error, request, reply.header('x-request-id', request.id))
      record(request, reply)
    },
    clientErrorHandler: answerClientError,
  }).withTypeProvider<TypeBoxTypeProvider>()

  app.server.on('connect', (_, socket: Socket) =>
    answerClientError(Object.assign(new Error('CONNECT'), { code: 'CONNECT' }), socket),
  )
  countInFlight(registry, () => requestsInFlight(app.server))
  const allowedMethods = rememberMethods(app)
  followRequests(app, record)
  checkRequestShape(app)
  app.decorateRequest('caller', '')
  app.decorateRequest('tokenExpiresAt', undefined)
  app.decorateRequest('subject', '')
  app.decorateRequest('scopes', undefined)
  app.decorateRequest('reported', false)
  if (access) askForTokens(app, logger, access.issuer, access.scopes)
  closePolitely(app)
  app.removeAllContentTypeParsers()
  acceptJson(app, 'application/json')
  app.setErrorHandler(sendProblem)
  app.setNotFoundHandler((request, reply) => {
    const path = pathOf(request.url)
    const allowed = allowedMethods(path)
    if (allowed.length === 0) throw new HttpProblem('not-found', `There is no ${cutText(path, MAX_SHOWN_PATH)}.`)
    void reply.header('allow', allowed.join(', '))
    throw new HttpProblem('method-not-allowed', `${path} knows ${allowed.join(', ')}, not ${request.method}.`)
  })
  if (document) addDocument(app, { ...document, scopes: access?.scopes })
  return app
}

/**
 * Routes whose bodies may be of this media type as well; to all others it is unsupported. It must be a kind of JSON.
 */
export function alsoAccept(app: HttpApi, mediaType: string, addRoutes: (app: HttpApi) => void): void {
  void app.register((scope, _, done) => {
    acceptJson(scope, mediaType)
    addRoutes(scope.withTypeProvider<TypeBoxTypeProvider>())
    done()
  })
}
