import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import ajvFormats from 'ajv-formats'
import { type Answer, type JsonSchema, type Media, type OpenApiDocument, resolveAnswer } from '../openapi-document.ts'
import { problemAnswer } from '../openapi.ts'
import { MEDIA_TYPE, type ProblemStatus, problems } from '../problems.ts'

/** An answer as it went out. `path` is that of its route in the document; undefined where no route was found. */
export interface SentAnswer {
  method: string
  path: string | undefined
  status: number
  mediaType: string | undefined
  headers: Record<string, number | string | string[] | undefined>
  body: string | undefined
}

/** Whatever a handler gives for these, Node sends no body. */
const BODILESS = [204, 304]

/** What the document does not describe of an answer; undefined when it describes all of it. */
export type AnswerCheck = (answer: SentAnswer) => string | undefined

export function createAnswerCheck(document: OpenApiDocument): AnswerCheck {
  const validatorOf = validators(document)
  return (sent) => {
    const described = describedAnswer(document, sent)
    if (typeof described === 'string') return described
    return headerFault(described, sent, validatorOf) ?? bodyFault(described, sent, validatorOf)
  }
}

/** Paths and methods that there are not have no operation: their answers are problems like any other. */
function describedAnswer(document: OpenApiDocument, { method, path, status }: SentAnswer): Answer | string {
  if (path === undefined) return isProblemStatus(status) ? problemAnswer(status) : `no problem has the status ${status}`
  // HEAD is answered like GET, without the body.
  const name = method === 'HEAD' ? 'get' : method.toLowerCase()
  const operation = document.paths[path]?.[name]
  if (!operation) return `${method} ${path} is not in the document`
  const answer = operation.responses[status]
  return answer
    ? resolveAnswer(document, answer)
    : `its status is not among ${Object.keys(operation.responses).join(', ')}`
}

function isProblemStatus(status: number): status is ProblemStatus {
  return Object.values(problems).some((problem) => problem.status === status)
}

type ValidatorOf = (schema: JsonSchema) => ValidateFunction

function headerFault({ headers = {} }: Answer, sent: SentAnswer, validatorOf: ValidatorOf): string | undefined {
  for (const [name, { schema }] of Object.entries(headers)) {
    const value = sent.headers[name.toLowerCase()]
    if (value === undefined) continue
    const validate = validatorOf(schema)
    if (!validate([value].flat().join())) return `its header ${name} is ${JSON.stringify(value)}`
  }
  return undefined
}

function bodyFault({ content }: Answer, sent: SentAnswer, validatorOf: ValidatorOf): string | undefined {
  const { body = '', mediaType } = sent
  if (sent.method === 'HEAD' || BODILESS.includes(sent.status)) return undefined
  if (!content) return body === '' ? undefined : 'it has a body'
  const media: Media | undefined = mediaType === undefined ? undefined : content[mediaType]
  if (!media) return `its media type is ${mediaType}, not ${Object.keys(content).join(', ')}`
  // A stream has no end to wait for.
  if (mediaType === 'text/event-stream') return undefined
  const value: unknown = JSON.parse(body)
  const validate = validatorOf(media.schema)
  if (!validate(value)) return JSON.stringify(validate.errors)
  const inBody = (value as { status?: unknown }).status
  return mediaType === MEDIA_TYPE && inBody !== sent.status ? `its problem says ${String(inBody)}` : undefined
}

/** Compiles each schema once, closed: a field that is not described is a fault too. */
function validators({ components }: OpenApiDocument): ValidatorOf {
  const ajv = new Ajv2020({ allErrors: true, strict: false })
  // A CommonJS module: what TypeScript takes for its default export is one level down.
  ;(ajvFormats as unknown as typeof ajvFormats.default)(ajv)
  ajv.addFormat('text', true)
  ajv.addSchema(closed({ $id: 'document', components: { schemas: components.schemas } }))
  const known = new Map<JsonSchema, ValidateFunction>()
  return (schema) => {
    const validate = known.get(schema) ?? ajv.compile(closed(inDocument(schema)))
    known.set(schema, validate)
    return validate
  }
}

function inDocument(schema: JsonSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"document#/')) as JsonSchema
}

function closed(schema: JsonSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema), (_, value: unknown) =>
    typeof value === 'object' && value !== null && 'properties' in value && 'type' in value
      ? { additionalProperties: false, ...value }
      : value,
  ) as JsonSchema
}
