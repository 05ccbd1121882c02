import swagger from '@fastify/swagger'
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify'
import { scopeFor, type Scopes } from './access.ts'
import { docsPage } from './docs-page.ts'
import type { Answer, OpenApiDocument } from './openapi-document.ts'
import { problemExamples } from './problem-examples.ts'
import { MEDIA_TYPE, Problem, problemResponses, type ProblemStatus } from './problems.ts'

export interface DocumentOptions {
  title: string
  description: string
  /** When tokens are required: the scope for reading, and the scope for changing. */
  scopes: Scopes | undefined
}

/** Nothing is loaded from anywhere, and no script runs; the page brings its few lines of style along. */
const DOCS_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

/** Headers that belong to a problem, by its status. */
const PROBLEM_HEADERS: Record<number, Record<string, string>> = {
  401: { 'www-authenticate': 'What is wrong with the token: RFC 6750' },
  403: { 'www-authenticate': 'Which scope the token needs: RFC 6750' },
  405: { allow: 'The methods that are allowed' },
  503: { 'retry-after': 'Seconds to wait before the next try' },
}

/**
 * Makes the OpenAPI 3.1 document from the schemas of the routes that are added `after` this, and serves it at
 * `/openapi.json`, and at `/docs` as a page to read. Both need no token.
 */
export function addDocument(app: FastifyInstance, { title, description, scopes }: DocumentOptions): void {
  void app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title, description, version: '1.0.0', license: { name: 'MIT', identifier: 'MIT' } },
      // Relative to where the document is: true behind any proxy.
      servers: [{ url: '/', description: 'Where this document is' }],
      // Explicitly open: a linter and a generator take a missing list for a forgotten one.
      ...(!scopes && { security: [] }),
      components: scopes
        ? { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } }
        : {},
    },
    transform: ({ schema, url, route }) => ({ schema: withGeneralAnswers(schema, route, scopes), url }),
    transformObject: (made) =>
      shareProblems(('openapiObject' in made ? made.openapiObject : {}) as OpenApiDocument, scopes) as object,
  })
  app.after(() => {
    const hidden = { schema: { hide: true }, config: { open: true } } as const
    app.get('/openapi.json', hidden, () => app.swagger())
    app.get('/docs', hidden, ({ headers }, reply) => {
      const page = docsPage(app.swagger() as OpenApiDocument, baseUrlOf(headers.host))
      return reply.header('content-security-policy', DOCS_POLICY).type('text/html; charset=utf-8').send(page)
    })
  })
}

/** For the commands on the page. A host that is none could be anything, and must not reach a shell. */
function baseUrlOf(host = ''): string {
  return `http://${/^[\w.:[\]-]{1,200}$/.test(host) ? host : '127.0.0.1'}`
}

/** What any route may answer, whatever it does itself. */
function withGeneralAnswers(
  schema: FastifySchema,
  { method }: RouteOptions,
  scopes: Scopes | undefined,
): FastifySchema {
  const name = String([method].flat()[0])
  const reads = name === 'GET' || name === 'HEAD'
  return {
    ...schema,
    ...(scopes && { security: [{ bearer: [scopeFor(name, scopes)] }] }),
    response: {
      ...(schema.response as object),
      ...problemResponses(400, 408, 431, 500, 503),
      ...(!reads && problemResponses(413, 415)),
      // Without tokens: a caller that is not this machine.
      ...(scopes ? problemResponses(401, 403) : problemResponses(403)),
    },
  }
}

/** Each problem is described once, and referred to wherever it may be the answer. */
function shareProblems(document: OpenApiDocument, scopes: Scopes | undefined): OpenApiDocument {
  const used = new Set<ProblemStatus>()
  const name = (status: number | string) => `Problem${status}`
  for (const operation of Object.values(document.paths).flatMap((path) => Object.values(path))) {
    // For the validator a parameter with a default is always there; a caller may leave it out.
    for (const parameter of operation.parameters ?? []) if ('default' in parameter.schema) parameter.required = false
    for (const [status, answer] of Object.entries(operation.responses)) {
      if (!('content' in answer && answer.content && MEDIA_TYPE in answer.content)) continue
      operation.responses[status] = { $ref: `#/components/responses/${name(status)}` }
      used.add(Number(status) as ProblemStatus)
    }
  }
  const statuses = [...used].toSorted((a, b) => a - b)
  const responses = Object.fromEntries(
    statuses.map((status) => [name(status), problemAnswer(status, scopes !== undefined)]),
  )
  const schemas = { ...document.components.schemas, Problem: { ...Problem } }
  return { ...document, components: { ...document.components, schemas, responses } }
}

/** What any problem of this status looks like. Without tokens a 403 names no scope. */
export function problemAnswer(status: ProblemStatus, hasTokens = true): Answer {
  const headers = Object.entries((status === 403 && !hasTokens ? undefined : PROBLEM_HEADERS[status]) ?? {})
  const { description } = problemResponses(status)[status]
  return {
    description,
    ...(headers.length > 0 && {
      headers: Object.fromEntries(
        headers.map(([name, description]) => [name, { description, schema: { type: 'string' } }]),
      ),
    }),
    content: { [MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/Problem' }, examples: problemExamples(status) } },
  }
}
