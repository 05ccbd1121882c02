/** The part of an OpenAPI 3.1 document that ours use. */
export interface OpenApiDocument {
  openapi: string
  info: { title: string; description?: string; version: string }
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, JsonSchema>; responses: Record<string, Answer> }
}

/** JSON Schema 2020-12. */
export type JsonSchema = { [keyword: string]: unknown }

export interface Operation {
  operationId?: string
  summary?: string
  description?: string
  security?: Record<string, string[]>[]
  parameters?: Parameter[]
  requestBody?: { content: Record<string, Media> }
  /** By status. */
  responses: Record<string, Answer | Reference>
}

export interface Reference {
  $ref: string
}

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required?: boolean
  description?: string
  schema: JsonSchema
  example?: unknown
}

export interface Answer {
  description: string
  headers?: Record<string, { description?: string; schema: JsonSchema }>
  content?: Record<string, Media>
}

export interface Media {
  schema: JsonSchema
  example?: unknown
  examples?: Record<string, { value: unknown }>
}

/** The entry of `/components/responses` that `answer` refers to, or `answer` itself. */
export function resolveAnswer(document: OpenApiDocument, answer: Answer | Reference): Answer {
  if (!('$ref' in answer)) return answer
  const found = document.components.responses[answer.$ref.split('/').at(-1) ?? '']
  if (!found) throw new Error(`the document has no ${answer.$ref}`)
  return found
}

/** The examples of a body or a parameter: its own, and those of its schema. */
export function examplesOf({ example, examples, schema }: Media): unknown[] {
  const inSchema = Array.isArray(schema.examples) ? (schema.examples as unknown[]) : []
  return [
    ...(example === undefined ? [] : [example]),
    ...Object.values(examples ?? {}).map(({ value }) => value),
    ...inSchema,
  ]
}
