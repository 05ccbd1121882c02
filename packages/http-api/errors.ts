import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { databaseOutage } from '@product-events/outages'
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

/** Decides what an error means to the caller. What it does not know is `internal`. */
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
  if (databaseOutage(error) !== undefined)
    return { code: 'unavailable', detail: 'The database can’t be used just now. Please try again.' }
  return { code: 'internal', detail: 'The error was logged under this request_id.' }
}

function countOf(errors: number): string {
  return errors > MAX_FIELD_ERRORS ? `: ${errors} errors, of which ${MAX_FIELD_ERRORS} are listed` : ''
}

/** Answers with the problem that `error` amounts to. A 5xx is logged whole, and told without its cause. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const answer = toAnswer(error)
  const { status, ...problem } = problems[answer.code]
  if (answer.code === 'internal') request.log.error({ err: error }, 'request failed: a bug')
  if (answer.code === 'unavailable')
    request.log.error({ err: error }, `request failed: ${databaseOutage(error) ?? 'overloaded'}`)
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

/** A URL without its query, which may hold what should not be logged or repeated. */
export function pathOf(url: string): string {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}
