import { type TSchema, Type } from 'typebox'

/**
 * Every error that an API answers with: the one place that decides its status and title, and after how many seconds a
 * client may retry. Any other error is `internal` to the caller, and whole in the log.
 */
export const problems = {
  'invalid-request': { status: 400, title: 'The request is not valid' },
  'malformed-request': { status: 400, title: 'The request could not be read' },
  unauthenticated: { status: 401, title: 'You have to sign in' },
  forbidden: { status: 403, title: 'You may not do this' },
  'not-found': { status: 404, title: 'There is nothing here' },
  'method-not-allowed': { status: 405, title: 'This method is not allowed here' },
  'request-timeout': { status: 408, title: 'The request took too long to arrive' },
  'request-in-progress': { status: 409, title: 'The same request is still in progress' },
  'precondition-failed': { status: 412, title: 'It is not in the state that the request asks for' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'The body has a media type that is not supported' },
  'idempotency-key-reused': { status: 422, title: 'The Idempotency-Key was used for another request' },
  'headers-too-large': { status: 431, title: 'The headers are too large' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  // A database that restarts is back within seconds; a client that waits this long finds most outages over.
  unavailable: { status: 503, title: 'The service can’t answer right now', retryAfterSeconds: 2 },
  // The requests in flight are done within moments.
  overloaded: { status: 503, title: 'The service has too much to do', retryAfterSeconds: 1 },
} as const satisfies Record<string, { status: number; title: string; retryAfterSeconds?: number }>

export type ProblemCode = keyof typeof problems
export type ProblemStatus = (typeof problems)[ProblemCode]['status']

export interface FieldError {
  field: string
  message: string
}

/** Thrown by a handler to answer with a problem. `detail` and `errors` are shown to the caller. */
export class HttpProblem extends Error {
  readonly problem: ProblemCode
  readonly errors: FieldError[] | undefined
  constructor(problem: ProblemCode, detail: string, errors?: FieldError[]) {
    super(detail)
    this.problem = problem
    this.errors = errors
  }
}

export const MEDIA_TYPE = 'application/problem+json'

/** RFC 9457. `type` names the kind of problem for machines; the rest is for people. */
export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String(),
    request_id: Type.String(),
    errors: Type.Optional(Type.Array(Type.Object({ field: Type.String(), message: Type.String() }))),
  },
  { description: 'RFC 9457 problem details' },
)

type ProblemResponse = { description: string; content: { [MEDIA_TYPE]: { schema: TSchema } } }

/** The part of a route's `schema.response` that describes its errors. */
export function problemResponses<Status extends ProblemStatus>(...statuses: Status[]): Record<Status, ProblemResponse> {
  const titleOf = (status: Status) => Object.values(problems).find((problem) => problem.status === status)?.title ?? ''
  const response = (status: Status) => ({
    description: titleOf(status),
    content: { [MEDIA_TYPE]: { schema: Problem as TSchema } },
  })
  const responses: Record<number, ProblemResponse> = Object.fromEntries(
    statuses.map((status) => [status, response(status)]),
  )
  return responses
}

export interface ProblemBody {
  type: string
  title: string
  status: number
  detail: string
  instance: string
  request_id: string
  errors?: FieldError[]
}

export function problemBody(
  code: ProblemCode,
  about: { detail: string; instance: string; request_id: string; errors?: FieldError[] | undefined },
): ProblemBody {
  const { status, title } = problems[code]
  const { detail, instance, request_id, errors } = about
  return {
    type: `urn:problem-type:${code}`,
    title,
    status,
    detail,
    instance,
    request_id,
    ...(errors && { errors }),
  }
}
