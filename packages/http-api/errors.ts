import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { databaseOutage } from '@product-events/outages'
import { TooLate } from './in-time.ts'
import { type FieldError, HttpProblem, MEDIA_TYPE, problemBody, type ProblemCode, problems } from './problems.ts'
import { fieldErrors, MAX_FIELD_ERRORS } from './validation.ts'

interface Answer {
  code: ProblemCode
  detail: string
  errors?: FieldError[] | undefined
}

/** Fastify's own errors that are the caller's doing, with what to tell the caller. */
const FRAMEWORK_ERRORS: Record<string, Answer> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'body-too-large', detail: 'A body may have at most 65536 bytes.' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'unsupported-media-type',
    detail: 'The body must be JSON, with Content-Type: application/json.',
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: 'malformed-request', detail: 'The body is empty; JSON was expected.' },
  FST_ERR_CTP_INVALID_JSON_BODY: { code: 'malformed-request', detail: 'The body is not valid JSON.' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'malformed-request',
    detail: 'The body has another length than Content-Length says.',
  },
  FST_ERR_BAD_URL: { code: 'malformed-request', detail: 'The URL has an invalid percent-encoding.' },
  FST_ERR_MAX_PARAM_LENGTH: { code: 'not-found', detail: 'Nothing has a name this long.' },
}

/** The problem that an error is to the caller. Unknown errors are `internal`. */
export function toAnswer(error: unknown): Answer {
  if (error instanceof HttpProblem) return { code: error.problem, detail: error.message, errors: error.errors }
  const { code = '', validation, validationContext, statusCode } = error as Partial<FastifyError>
  if (validation) {
    return {
      code: 'invalid-request',
      detail: `The ${validationContext ?? 'request'} is not valid${countOf(validation.length)}.`,
      errors: fieldErrors(validation, validationContext),
    }
  }
  if (code in FRAMEWORK_ERRORS) return FRAMEWORK_ERRORS[code] as Answer
  // Fastify marks what it could not read of a request so (a body that broke off, say).
  if (statusCode === 400) return { code: 'malformed-request', detail: 'The request could not be read.' }
  if (databaseFailure(error) !== undefined)
    return { code: 'unavailable', detail: 'The database can’t be used just now. Please try again.' }
  return { code: 'internal', detail: 'The error was logged under this request_id.' }
}

function countOf(errors: number): string {
  return errors > MAX_FIELD_ERRORS ? `: ${errors} errors, of which ${MAX_FIELD_ERRORS} are listed` : ''
}

/** SQLSTATEs of a database that is not as this version needs it: a privilege, table, column or function is missing. */
const UNFIT = /^(42501|42P01|42703|42883|3F000)$/
const UNIQUE_VIOLATION = '23505'

/**
 * Why the database failed a request that another time may succeed; undefined when the failure is ours. Handlers have
 * dealt with the duplicates that mean something: any other one is an id that a sequence gave out twice.
 */
function databaseFailure(error: unknown): string | undefined {
  const { code = '', constraint, message } = error as { code?: string; constraint?: string; message: string }
  if (UNFIT.test(code)) return `${message} (${code})`
  if (code === UNIQUE_VIOLATION && constraint !== undefined)
    return `a sequence is behind the rows of its table, as after a restore: ${message} (${code})`
  return error instanceof TooLate ? message : databaseOutage(error)
}

export interface ProblemReports {
  /** Without it each request that the database fails has a line of its own. */
  database?: { failed(error: unknown, reason: string): void } | undefined
  /** A request was turned away because there are too many. */
  refused: () => void
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Its failure is part of a line about many: it has none of its own. */
    reported: boolean
  }
}

/** Answers with the problem that `error` amounts to. A 5xx is logged whole, and answered without its cause. */
export function createProblemHandler({ database, refused }: ProblemReports) {
  function report(code: ProblemCode, error: unknown, request: FastifyRequest): void {
    if (code === 'internal') request.log.error({ err: error }, 'request failed: a bug')
    if (code === 'overloaded') {
      request.reported = true
      refused()
    }
    const reason = code === 'unavailable' ? databaseFailure(error) : undefined
    if (reason === undefined) return
    if (!database) return request.log.error({ reason }, 'request failed')
    request.reported = true
    database.failed(error, reason)
  }

  return (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const answer = toAnswer(error)
    report(answer.code, error, request)
    const { status, ...problem } = problems[answer.code]
    if ('retryAfterSeconds' in problem) void reply.header('retry-after', problem.retryAfterSeconds)
    const body = problemBody(answer.code, {
      detail: answer.detail,
      instance: pathOf(request.url),
      request_id: request.id,
      errors: answer.errors,
    })
    // As bytes: to text Fastify adds a charset, which this media type does not have.
    return reply
      .code(status)
      .header('content-type', MEDIA_TYPE)
      .send(Buffer.from(JSON.stringify(body)))
  }
}

/** A URL without its query, which may hold what should not be logged or repeated. */
export function pathOf(url: string): string {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}
