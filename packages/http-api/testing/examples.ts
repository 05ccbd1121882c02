import { examplesOf, type OpenApiDocument, type Operation, type Parameter, resolveAnswer } from '../openapi-document.ts'

/** A request that the document shows. `path` has its parameters in braces. */
export interface ExampleRequest {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  path: string
  query: Record<string, string>
  headers: Record<string, string>
  body?: unknown
}

/** Every request that the examples of a document make up: each body with each media type, and each parameter alone. */
export function exampleRequests(document: OpenApiDocument): ExampleRequest[] {
  return operationsOf(document).flatMap(({ method, path, operation }) => {
    const plain = { method: method.toUpperCase() as ExampleRequest['method'], path, query: {}, headers: {} }
    const bodies = Object.entries(operation.requestBody?.content ?? {}).flatMap(([type, media]) =>
      examplesOf(media).map((body) => ({ ...plain, headers: { 'content-type': type }, body })),
    )
    const requests: ExampleRequest[] = operation.requestBody ? bodies : [plain]
    const withParameter = optional(operation).flatMap((parameter) =>
      requests.slice(0, 1).flatMap((request) =>
        examplesOf(parameter).map((example) => {
          const part = parameter.in === 'query' ? 'query' : 'headers'
          return { ...request, [part]: { ...request[part], [parameter.name]: String(example) } }
        }),
      ),
    )
    return [...requests, ...withParameter]
  })
}

/** What the document shows no example of: bodies, answers with a body, and parameters. */
export function missingExamples(document: OpenApiDocument): string[] {
  return operationsOf(document).flatMap(({ method, path, operation }) => {
    const media = [
      ...Object.entries(operation.requestBody?.content ?? {}).map(([type, media]) => [type, media] as const),
      ...Object.entries(operation.responses).flatMap(([status, answer]) =>
        Object.values(resolveAnswer(document, answer).content ?? {}).map((media) => [status, media] as const),
      ),
      ...(operation.parameters ?? []).map((parameter) => [parameter.name, parameter] as const),
    ]
    return media.flatMap(([name, media]) => (examplesOf(media).length > 0 ? [] : [`${method} ${path}: ${name}`]))
  })
}

/** The answers that the document shows, as if they had been sent. */
export function exampleAnswers(document: OpenApiDocument) {
  return operationsOf(document).flatMap(({ method, path, operation }) =>
    Object.entries(operation.responses).flatMap(([status, answer]) =>
      Object.entries(resolveAnswer(document, answer).content ?? {}).flatMap(([mediaType, media]) =>
        examplesOf(media).map((body) => ({
          method: method.toUpperCase(),
          path,
          status: Number(status),
          mediaType,
          headers: {},
          body: JSON.stringify(body),
        })),
      ),
    ),
  )
}

function operationsOf(document: OpenApiDocument) {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  )
}

/** A path needs its parameters anyway, and the test that sends it knows a real id. */
function optional({ parameters = [] }: Operation): Parameter[] {
  return parameters.filter((parameter) => parameter.in !== 'path')
}
