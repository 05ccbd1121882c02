import { type FieldError, problemBody, type ProblemBody, type ProblemCode, problems } from './problems.ts'

/** An example of each problem, for the document of the API. */
const details: Record<ProblemCode, { detail: string; errors?: FieldError[] }> = {
  'invalid-request': {
    detail: 'The body is not valid.',
    errors: [{ field: 'name', message: 'must NOT have fewer than 1 characters' }],
  },
  'malformed-request': { detail: 'The body is not valid JSON.' },
  unauthenticated: { detail: 'The token has expired.' },
  forbidden: { detail: 'This needs a token with the scope products:write.' },
  'not-found': { detail: 'There is nothing with this id.' },
  'method-not-allowed': { detail: '/products knows GET, HEAD, POST, not PUT.' },
  'request-timeout': { detail: 'The request did not arrive in time.' },
  'request-in-progress': { detail: 'The first request with this Idempotency-Key is not done yet.' },
  'precondition-failed': { detail: 'The product has the ETag "2" by now.' },
  'idempotency-key-reused': { detail: 'This Idempotency-Key came with another body before.' },
  'body-too-large': { detail: 'A body may have at most 65536 bytes.' },
  'unsupported-media-type': { detail: 'The body must be JSON, with Content-Type: application/json.' },
  'headers-too-large': { detail: 'URL and headers may have at most 16384 bytes together.' },
  internal: { detail: 'The error was logged under this request_id.' },
  unavailable: { detail: 'The database can’t be used just now. Please try again.' },
  overloaded: { detail: 'Too many requests are under way. Please try again.' },
}

/** An example of each problem that has this status, by its code. */
export function problemExamples(status: number): Record<string, { summary: string; value: ProblemBody }> {
  const codes = (Object.keys(problems) as ProblemCode[]).filter((code) => problems[code].status === status)
  return Object.fromEntries(
    codes.map((code) => [
      code,
      {
        summary: problems[code].title,
        value: problemBody(code, {
          ...details[code],
          instance: '/products',
          request_id: '0199b3c4-7a51-4e0e-9d3b-2f6a1c8e5d70',
        }),
      },
    ]),
  )
}
