import { Ajv, type ErrorObject, type Options } from 'ajv'
import ajvFormats from 'ajv-formats'
import type { FastifyInstance, FastifySchemaCompiler, FastifySchemaValidationError } from 'fastify'
import { cutText } from '@product-events/telemetry'
import { type TString, type TStringOptions, Type } from 'typebox'
import { type FieldError, HttpProblem } from './problems.ts'

/**
 * Collecting all errors is safe because a body is at most 64 KiB: see `createHttpApi`. Ajv rejects unknown keywords and
 * values of the wrong type without the schema of schemas, whose compilation took a tenth of a start.
 */
const options: Options = { allErrors: true, strict: true, removeAdditional: false, validateSchema: false, meta: false }

/** A string that PostgreSQL can keep, in `text` and in `jsonb`: no U+0000 and no half of a surrogate pair. */
export function text(limits: TStringOptions): TString {
  return Type.String({ format: 'text', ...limits })
}

function createAjv(more: Options): Ajv {
  const ajv = new Ajv({ ...options, ...more })
  // A CommonJS module: what TypeScript takes for its default export is one level down.
  ;(ajvFormats as unknown as typeof ajvFormats.default)(ajv)
  ajv.addFormat('text', (value) => !value.includes('\u0000') && value.isWellFormed())
  // Ajv divides, and so rejects 0.29 as a multiple of 0.01.
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
 * An integer or a decimal number as people write it: no sign but minus, no blank, no exponent, no 0x, no leading zero.
 */
const INTEGER = /^-?(?:0|[1-9][0-9]*)$/
const DECIMAL = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/

/**
 * Bodies are taken as they are: no number becomes a string, no null an empty one, and nothing unknown is thrown away
 * unseen. In a URL and in headers everything is a string, so there `20` becomes a number where the schema has one.
 */
export function createValidatorCompiler(): FastifySchemaCompiler<object> {
  const body = createAjv({ coerceTypes: false, useDefaults: true })
  // With strict numbers Ajv holds 400 digits, which are Infinity, against no maximum.
  const rest = createAjv({ coerceTypes: false, useDefaults: true, strictNumbers: false })
  return ({ schema, httpPart }) => {
    if (httpPart === 'body') return body.compile(schema)
    const validate = rest.compile(schema)
    const patterns = numberPatterns(schema)
    return (values: Record<string, unknown>) => {
      for (const [name, pattern] of patterns) {
        const value = values[name]
        if (typeof value === 'string' && pattern.test(value)) values[name] = Number(value)
      }
      return validate(values) ? { value: values } : { error: validate.errors as unknown as Error }
    }
  }
}

/** How the values of the schema's numbers must be spelled, by name. */
function numberPatterns(schema: { properties?: Record<string, { type?: unknown }> }): [string, RegExp][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, { type }]) => {
    if (type === 'integer') return [[name, INTEGER]]
    return type === 'number' ? [[name, DECIMAL]] : []
  })
}

/** More errors than a person reads; callers decide how many there are, and how long the names of their fields. */
export const MAX_FIELD_ERRORS = 20
const MAX_FIELD_LENGTH = 100

/** The first 20 of what Ajv found wrong. */
export function fieldErrors(errors: FastifySchemaValidationError[], part: string | undefined): FieldError[] {
  return (errors as ErrorObject[])
    .slice(0, MAX_FIELD_ERRORS)
    .map((error) => ({ field: cutText(fieldOf(error, part), MAX_FIELD_LENGTH), message: messageOf(error) }))
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
 * Takes bodies of this media type, and parses them as JSON. Refuses JSON that is not UTF-8, which would be stored
 * with U+FFFD in place of the sent characters.
 */
export function acceptJson(app: FastifyInstance, mediaType: string): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser(mediaType, { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    const text = body.toString('utf8')
    // The bytes of a body that was not UTF-8 have changed.
    if (text.includes('\ufffd') && !body.equals(Buffer.from(text)))
      return done(new HttpProblem('malformed-request', 'The body is not valid UTF-8.'))
    void parse(request, text, done)
  })
}
