import fc from 'fast-check'
import {
  examplesOf,
  type JsonSchema,
  type OpenApiDocument,
  type Operation,
  type Parameter,
} from '../../../packages/http-api/openapi-document.ts'
import { strangeJson, strangeValue, valid } from './values.ts'

export interface FuzzRequest {
  method: string
  /** In the document, with its parameters in braces; undefined when it is meant to be in none. */
  path: string | undefined
  /** With `{id}` where the path has a parameter; `known` says which id to put there. */
  url: string
  /** An id of a product that was made, counted from the newest; a text means itself. */
  id: number | string
  headers: Record<string, string>
  body: string | Buffer | undefined
  /** Made by the rules of the document: it must not be refused for its form. */
  isValid: boolean
  /** The caller goes away when half of the body is sent. */
  cutOff: boolean
}

/** Every kind of request that a document describes, by its rules and against them. */
export function requestsOf(document: OpenApiDocument): fc.Arbitrary<FuzzRequest> {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )
  // Products have to be there, or there is nothing to change: more are made than deleted.
  const weightOf = (method: string) => (method === 'POST' ? 2 : 1)
  const goods = fc.oneof(
    ...operations.map((at) => ({
      weight: weightOf(at.method),
      arbitrary: goodRequest(at.method, at.path, at.operation),
    })),
  )
  return fc.oneof({ weight: 3, arbitrary: goods }, { weight: 2, arbitrary: goods.chain(brokenRequest) })
}

function goodRequest(method: string, path: string, operation: Operation): fc.Arbitrary<FuzzRequest> {
  const { parameters = [], requestBody } = operation
  const of = (place: Parameter['in']) => parameters.filter((parameter) => parameter.in === place)
  const bodies = Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) =>
    valid(schema).map((value) => ({ type, body: JSON.stringify(value) })),
  )
  return fc
    .record({
      query: parametersOf(of('query')),
      headers: parametersOf(of('header')),
      sent: bodies.length > 0 ? fc.oneof(...bodies) : fc.constant(undefined),
      id: fc.oneof({ weight: 9, arbitrary: fc.nat({ max: 30 }) }, fc.uuid()),
      cutOff: fc.boolean().chain((maybe) => (maybe ? fc.constant(false) : fc.nat({ max: 50 }).map((n) => n === 0))),
    })
    .map(({ query, headers, sent, id, cutOff }) => ({
      method,
      path,
      url: withQuery(path, query),
      id,
      headers: { ...headers, ...(sent && { 'content-type': sent.type }) },
      body: sent?.body,
      isValid: true,
      cutOff: cutOff && sent !== undefined,
    }))
}

/** Each of them there or not, with a value that its schema takes, or one of its examples. */
function parametersOf(parameters: Parameter[]): fc.Arbitrary<Record<string, string>> {
  const record = Object.fromEntries(parameters.map((parameter) => [parameter.name, parameterValue(parameter)]))
  return fc.record(record, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<Record<string, string>>
}

function parameterValue(parameter: Parameter): fc.Arbitrary<string> {
  const { type, maxLength } = parameter.schema as JsonSchema & { maxLength?: number }
  if (type === 'integer') return valid(parameter.schema).map(String)
  const examples = fc.constantFrom(...examplesOf(parameter).map(String))
  if (maxLength === undefined) return examples
  const unit = fc.constantFrom('a', 'k', 'Z', '0', '9', '-', '_', '.')
  const other = fc.string({ unit, minLength: 8, maxLength })
  return fc.oneof({ weight: 18, arbitrary: other }, examples, fc.constant('k'.repeat(maxLength)))
}

function withQuery(path: string, query: Record<string, string>): string {
  const text = new URLSearchParams(query).toString()
  return text === '' ? path : `${path}?${text}`
}

/** A good request with one thing wrong, or strange. */
function brokenRequest(good: FuzzRequest): fc.Arbitrary<FuzzRequest> {
  const breaks: fc.Arbitrary<Partial<FuzzRequest>>[] = [
    strangeUrl(good),
    fc.constantFrom(...STRANGE_IDS).map((id) => ({ id })),
    fc.record({ method: fc.constantFrom('PUT', 'POST', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND') }),
    fc.constantFrom(...STRANGE_HEADERS).map((headers) => ({ headers: { ...good.headers, ...headers } })),
    strangeJson.map((body) => ({ body, headers: { 'content-type': 'application/json', ...good.headers } })),
  ]
  if (typeof good.body === 'string') breaks.push(brokenBody(good.body))
  return fc.oneof(...breaks).map((change) => ({ ...good, ...change, isValid: false, cutOff: false }))
}

/** One field has another type, or one is too many, or the text ends early. */
function brokenBody(body: string): fc.Arbitrary<Partial<FuzzRequest>> {
  const value = JSON.parse(body) as Record<string, unknown>
  const field = fc.oneof(fc.constantFrom('name', 'description', 'price', 'id', '__proto__', 'toString'), fc.string())
  return fc.oneof(
    fc.tuple(field, strangeValue).map(([name, strange]) => ({
      body: JSON.stringify({ ...value, ...Object.fromEntries([[name, strange]]) }) ?? '',
    })),
    fc.nat({ max: body.length }).map((length) => ({ body: body.slice(0, length) })),
    fc.constantFrom('name', 'price').map((name) => ({ body: JSON.stringify({ ...value, [name]: undefined }) })),
  )
}

function strangeUrl({ url }: FuzzRequest): fc.Arbitrary<Partial<FuzzRequest>> {
  const query = fc.constantFrom(
    'limit=0',
    'limit=101',
    'limit=1e2',
    'limit=-1',
    'limit=',
    'limit=1&limit=2',
    'limit%5B%5D=1',
    'limit=9'.padEnd(400, '9'),
    'token=',
    'token=AA',
    'token=%00',
    'token=a&token=b',
    `token=${'A'.repeat(9_000)}`,
    'colour=red',
    '%zz',
    '&&&',
    '?',
    '__proto__=1',
    'constructor%5Bprototype%5D=1',
    'token=' + encodeURIComponent('🍵'),
    'token=%ff',
    `x=${'y'.repeat(17_000)}`,
  )
  const path = fc.oneof(
    fc.constantFrom(
      '/',
      '//',
      '/products/',
      '/products/a/b',
      '/PRODUCTS',
      '/products%2F',
      '/%',
      '/%c3%28',
      '/..',
      '/metrics',
    ),
    fc.webPath().map((text) => (text.startsWith('/') ? text : `/${text}`)),
  )
  return fc.oneof(
    query.map((text) => ({ url: `${url}${url.includes('?') ? '&' : '?'}${text}` })),
    path.map((text) => ({ url: text, path: undefined })),
  )
}

const STRANGE_IDS = [
  'x',
  '1',
  '0',
  '-1',
  'null',
  'undefined',
  '%00',
  '%zz',
  '%2e%2e',
  '*',
  "'",
  '%F0%9F%8D%B5',
  '%ff',
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  '{id}',
  'a'.repeat(200),
  'a'.repeat(5_000),
]

const STRANGE_HEADERS: Record<string, string>[] = [
  ...[
    'text/plain',
    'application/xml',
    '',
    'application/json; charset=utf-16',
    'multipart/form-data',
    'x'.repeat(300),
  ].map((type) => ({ 'content-type': type })),
  ...['*', '"', 'W/"1"', '1', '"1", "2"', ',', '', '"a" "b"', `"${'x'.repeat(5_000)}"`].map((tag) => ({
    'if-match': tag,
  })),
  ...['*', 'W/"1"', 'x', '"1"'].map((tag) => ({ 'if-none-match': tag })),
  ...['', ' ', 'k'.repeat(256), '\xe9\xff', '"'].map((key) => ({ 'idempotency-key': key })),
  ...['', 'a b', 'x'.repeat(1_000), '\xff'].map((id) => ({ 'x-request-id': id })),
  { accept: 'text/html' },
  { 'content-encoding': 'gzip' },
  { expect: '100-continue' },
  { authorization: 'Bearer x' },
  { 'x-flood': 'y'.repeat(17_000) },
  Object.fromEntries(Array.from({ length: 90 }, (_, n) => [`x-${n}`, 'y'])),
  { 'x-http-method-override': 'DELETE' },
  { traceparent: '00-zz-zz-00' },
]
