import { Ajv, type ErrorObject, type Options } from 'ajv'
import ajvFormats from 'ajv-formats'
import type { FastifyInstance, FastifySchemaCompiler, FastifySchemaValidationError } from 'fastify'
import { type TString, type TStringOptions, Type } from 'typebox'
import { type FieldError, HttpProblem } from './problems.ts'

/** Collecting all errors is safe because a body is at most 64 KiB: see `createHttpApi`. */
const options: Options = { allErrors: true, strict: true, removeAdditional: false }

/** A string that PostgreSQL can keep, in `text` and in `jsonb`: no U+0000 and no half of a surrogate pair. */
export function text(limits: TStringOptions): TString {
  return Type.String({ format: 'text', ...limits })
}

function createAjv(more: Options): Ajv {
  const ajv = new Ajv({ ...options, ...more })
  // A CommonJS module: what TypeScript takes for its default export is one level down.
  ;(ajvFormats as unknown as typeof ajvFormats.default)(ajv)
  ajv.addFormat('text', (value) => !value.includes('\u0000') && value.isWellFormed())
  // Ajv divides, and so finds that 0.29 is no multiple of 0.01.
  ajv.removeKeyword('multipleOf')
  ajv.addKeyword({
    keyword: 'multipleOf',
    type: 'number',
    schemaType: 'number',
    compile: (step: number) => (value: number) => isMultipleOf(value, step),
    error: { message: ({ schema }) => `must be a multiple of ${schema}` },
  })
  return ajv
}

/**
 * Exact for powers of ten: "multiple of 0.01" asks whether a number with two decimals is nearest to the same double.
 * For other steps it is the plain remainder.
 */
export function isMultipleOf(value: number, step: number): boolean {
  const decimals = -Math.log10(step)
  return Number.isInteger(decimals) && decimals >= 0 ? Number(value.toFixed(decimals)) === value : value % step === 0
}

/**
 * Bodies are taken as they are: no number becomes a string, no null an empty one, and nothing unknown is thrown away
 * unseen. In a URL and in headers everything is a string, so there `20` may become a number.
 */
export function createValidatorCompiler(): FastifySchemaCompiler<object> {
  const strict = createAjv({ coerceTypes: false, useDefaults: true })
  // With strict numbers Ajv holds `1e400`, which it made Infinity, against no maximum.
  const coercing = createAjv({ coerceTypes: true, useDefaults: true, strictNumbers: false })
  return ({ schema, httpPart }) => (httpPart === 'body' ? strict : coercing).compile(schema)
}

/** Tells Fastify's own error, which carries what Ajv found, from any other. */
export function fieldErrors(errors: FastifySchemaValidationError[], part: string | undefined): FieldError[] {
  return (errors as ErrorObject[]).map((error) => ({ field: fieldOf(error, part), message: messageOf(error) }))
}

function fieldOf({ instancePath, params }: ErrorObject, part = 'request'): string {
  const named = params as { missingProperty?: string; additionalProperty?: string }
  const path = instancePath.split('/').slice(1).map(unescapePointer)
  const last = named.missingProperty ?? named.additionalProperty
  return [...path, ...(last === undefined ? [] : [last])].join('.') || part
}

function messageOf({ keyword, params, message = 'is not valid' }: ErrorObject): string {
  switch (keyword) {
    case 'required':
      return 'is required'
    case 'additionalProperties':
      return 'is not a known field'
    case 'format':
      return (params as { format: string }).format === 'text'
        ? 'must not contain U+0000 or half of a surrogate pair'
        : message
    default:
      return message
  }
}

function unescapePointer(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~')
}

/**
 * Takes bodies of this media type, and parses them as JSON. Refuses JSON that is no UTF-8, which would else be stored
 * with U+FFFD in place of what was sent.
 */
export function acceptJson(app: FastifyInstance, mediaType: string): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser(mediaType, { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    const text = body.toString('utf8')
    // A body that was no UTF-8 is not the same bytes any more.
    if (text.includes('\ufffd') && !body.equals(Buffer.from(text)))
      return done(new HttpProblem('malformed-request', 'The body is not valid UTF-8.'))
    void parse(request, text, done)
  })
}
