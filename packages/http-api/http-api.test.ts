import { createRegistry, type Registry } from '@product-events/telemetry'
import { Type } from 'typebox'
import { beforeEach, describe, expect, test } from 'vitest'
import { createHttpApi, type HttpApi, HttpProblem, problemResponses, text } from './index.ts'
import { recordLog } from '../telemetry/testing/log.ts'

type Problem = { type: string; status: number; request_id: string; errors?: { field: string; message: string }[] }

let app: HttpApi
let registry: Registry
let logs: Record<string, unknown>[]
let failure: Error
beforeEach(() => {
  registry = createRegistry()
  const log = recordLog()
  logs = log.logs
  app = createHttpApi({ logger: log.logger, registry })
  app.route({
    method: 'POST',
    url: '/things/:id',
    schema: {
      params: Type.Object({ id: Type.String() }),
      querystring: Type.Object(
        { limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }) },
        { additionalProperties: false },
      ),
      body: Type.Object(
        {
          name: text({ minLength: 1, maxLength: 3 }),
          price: Type.Optional(Type.Number({ minimum: 0, maximum: 10, multipleOf: 0.01 })),
          tags: Type.Optional(Type.Array(Type.Object({ key: Type.String() }))),
        },
        { additionalProperties: false },
      ),
      response: {
        200: Type.Object({ name: Type.String(), limit: Type.Integer() }),
        ...problemResponses(400, 503),
      },
    },
    handler: ({ body, query }) => ({ name: body.name, limit: query.limit }),
  })
  app.get('/failing', { schema: { response: problemResponses(500, 503) } }, () => {
    throw failure
  })
})

async function send(options: {
  payload?: unknown
  headers?: Record<string, string>
  url?: string
  method?: 'POST' | 'PUT' | 'GET'
}) {
  const { payload, headers, url = '/things/1', method = 'POST' } = options
  const json = { 'content-type': 'application/json', ...headers }
  const answer = await app.inject({
    method,
    url,
    headers: payload === undefined ? { ...headers } : json,
    ...(payload !== undefined && {
      payload: typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload),
    }),
  })
  return { status: answer.statusCode, headers: answer.headers, body: answer.json<Problem>(), answer }
}

describe('input', () => {
  test.each([
    ['a name of three characters that take six code units', { name: '🙂🙂🙂' }],
    ['a price with two decimals', { name: 'a', price: 0.29 }],
    ['the highest price', { name: 'a', price: 10 }],
  ])('%s is taken', async (_, payload) => {
    expect((await send({ payload })).status).toBe(200)
  })

  test.each([
    ['a number for a string', { name: 12 }, 'name', 'must be string'],
    ['null for a string', { name: null }, 'name', 'must be string'],
    ['a string for a number', { name: 'a', price: '1' }, 'price', 'must be number'],
    ['a field that is not there', {}, 'name', 'is required'],
    ['a field that nobody knows', { name: 'a', nmae: 'b' }, 'nmae', 'is not a known field'],
    ['one character too many', { name: '🙂🙂🙂🙂' }, 'name', 'must NOT have more than 3 characters'],
    ['an empty string', { name: '' }, 'name', 'must NOT have fewer than 1 characters'],
    ['a third decimal', { name: 'a', price: 0.001 }, 'price', 'must be a multiple of 0.01'],
    ['an infinite number', '{"name":"a","price":1e400}', 'price', 'must be number'],
    ['U+0000', { name: 'a\0' }, 'name', 'must not contain U+0000 or half of a surrogate pair'],
    ['half of a surrogate pair', '{"name":"\\ud83d"}', 'name', 'must not contain U+0000 or half of a surrogate pair'],
    ['a fault deep inside', { name: 'a', tags: [{ key: 'k' }, {}] }, 'tags.1.key', 'is required'],
    ['an array', [], 'body', 'must be object'],
    ['null', 'null', 'body', 'must be object'],
  ])('%s is refused by name', async (_, payload, field, message) => {
    const { status, body, headers } = await send({ payload })
    expect(status).toBe(400)
    expect(headers['content-type']).toBe('application/problem+json')
    expect(body.errors).toEqual([{ field, message }])
  })

  test('all faults are told at once', async () => {
    const { body } = await send({ payload: { price: -1, other: 1 } })
    expect(body.errors?.map((error) => error.field).toSorted()).toEqual(['name', 'other', 'price'])
  })

  test('a number in the URL is read as one, and has its default', async () => {
    const answers = [
      await send({ payload: { name: 'a' }, url: '/things/1?limit=7' }),
      await send({ payload: { name: 'a' } }),
    ]
    expect(answers.map(({ body }) => body)).toEqual([
      { name: 'a', limit: 7 },
      { name: 'a', limit: 20 },
    ])
  })

  test.each([
    'limit=0',
    'limit=x',
    'limit=',
    'limit=1&limit=2',
    'limti=1',
    'limit=1e400',
    `limit=${'9'.repeat(400)}`,
    'limit=-1e400',
    'limit=Infinity',
    'limit=NaN',
  ])('?%s is refused', async (query) => {
    const { status, body } = await send({ payload: { name: 'a' }, url: `/things/1?${query}` })
    expect(status).toBe(400)
    expect(body.errors?.[0]?.field).toBe(query.split('=')[0])
  })

  test.each([
    ['JSON that ends early', '{"name":', 400],
    ['an empty body', '', 400],
    ['a body that poisons prototypes', '{"name":"a","__proto__":{}}', 400],
    ['a body that is no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 400],
    ['a body with a poisonous constructor', '{"name":"a","constructor":{"prototype":{}}}', 400],
    ['JSON thirty thousand levels deep', '['.repeat(30_000) + ']'.repeat(30_000), 400],
    ['a body of five thousand fields', `{${Array.from({ length: 5_000 }, (_, n) => `"f${n}":1`).join()}}`, 400],
    ['NaN', '{"name":"a","price":NaN}', 400],
    ['a body of 64 KiB and one byte', `"${'a'.repeat(65_535)}"`, 413],
  ])('%s is refused', async (_, payload, status) => {
    expect(await send({ payload })).toMatchObject({ status, body: { status } })
  })

  test('U+FFFD that was really sent is taken', async () => {
    expect((await send({ payload: { name: '\ufffd' } })).status).toBe(200)
  })

  test('a body of another media type, or of none, is refused', async () => {
    expect(await send({ payload: 'a', headers: { 'content-type': 'text/plain' } })).toMatchObject({ status: 415 })
    expect(await send({ payload: '{}', headers: { 'content-type': '' } })).toMatchObject({ status: 415 })
  })
})

describe('problems', () => {
  test('a problem has every field, and the request id that the headers and the log have', async () => {
    const { body, headers } = await send({ url: '/nowhere?token=secret', method: 'GET' })
    expect(body).toEqual({
      type: 'urn:problem-type:not-found',
      title: 'There is nothing here',
      status: 404,
      detail: 'There is no /nowhere.',
      instance: '/nowhere',
      request_id: headers['x-request-id'],
    })
    expect(logs).toEqual([expect.objectContaining({ request_id: body.request_id, status: 404, url: '/nowhere' })])
  })

  test('a method that a path does not know is answered with those that it knows', async () => {
    expect(await send({ method: 'PUT' })).toMatchObject({ status: 405, headers: { allow: 'POST' } })
    expect(await send({ method: 'PUT', url: '/failing' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    })
    expect(await send({ url: '/things/1/2', payload: {} })).toMatchObject({ status: 404 })
    expect(await send({ url: '/things/', method: 'GET' })).toMatchObject({ status: 404 })
  })

  test('a URL that can’t be decoded is 400, a part of it that is too long 404', async () => {
    expect(await send({ url: '/things/%zz', method: 'GET' })).toMatchObject({ status: 400, body: { status: 400 } })
    expect(await send({ url: `/things/${'a'.repeat(201)}`, payload: {} })).toMatchObject({ status: 404 })
  })

  test('a bug is 500 without its cause, which is in the log', async () => {
    failure = new Error('the secret plan failed')
    const { status, answer } = await send({ url: '/failing', method: 'GET' })
    expect(status).toBe(500)
    expect(answer.body).not.toContain('secret')
    expect(JSON.stringify(logs)).toContain('the secret plan failed')
  })

  test('an answer says how a browser must treat it, and not by what it was made', async () => {
    const { headers } = await send({ url: '/nowhere', method: 'GET' })
    expect(Object.keys(headers).toSorted()).toEqual([
      'connection',
      'content-length',
      'content-security-policy',
      'content-type',
      'cross-origin-resource-policy',
      'date',
      'referrer-policy',
      'x-content-type-options',
      'x-request-id',
    ])
    expect(headers['content-security-policy']).toBe("default-src 'none'; frame-ancestors 'none'")
  })

  test('a handler’s own problem is told with its fields', async () => {
    const errors = [{ field: 'token', message: 'is stale' }]
    failure = new HttpProblem('invalid-request', 'No.', errors)
    expect((await send({ url: '/failing', method: 'GET' })).body).toMatchObject({ status: 400, detail: 'No.', errors })
  })
})
