import { createRegistry, type Registry } from '@product-events/telemetry'
import { beforeEach, describe, expect, test } from 'vitest'
import { createHttpApi, type HttpApi } from './index.ts'
import { recordLog } from '../telemetry/testing/log.ts'

let app: HttpApi
let registry: Registry
let logs: Record<string, unknown>[]
beforeEach(() => {
  registry = createRegistry()
  const log = recordLog()
  logs = log.logs
  app = createHttpApi({ logger: log.logger, registry })
  app.post('/things/:id', () => 'done')
})

const get = (url: string, headers: Record<string, string> = {}) => app.inject({ method: 'GET', url, headers })
const post = (url: string) => app.inject({ method: 'POST', url })

test.each(['abc', 'A.b-c_9', 'x'.repeat(128)])('the id %s of the caller is kept', async (id) => {
  const { headers } = await get('/nowhere', { 'x-request-id': id })
  expect(headers['x-request-id']).toBe(id)
})

test.each(['', 'a b', 'a"', 'x'.repeat(129), 'ü'])('the id "%s" is replaced by a UUID', async (id) => {
  const { headers } = await get('/nowhere', { 'x-request-id': id })
  expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
})

test('each request is one line in the log, at info, without its query', async () => {
  await post('/things/1?limit=3')
  expect(logs).toEqual([
    expect.objectContaining({
      level: 30,
      msg: 'request',
      method: 'POST',
      url: '/things/1',
      status: 200,
      duration_ms: expect.any(Number) as number,
      request_id: expect.any(String) as string,
    }),
  ])
})

test('of many that went well at once the log has some, which say for how many they stand; the metrics have all', async () => {
  for (let n = 0; n < 400; n++) await post('/things/1')
  await get('/nowhere')
  const good = logs.filter(({ status }) => status === 200)
  expect(good.length).toBeLessThan(400)
  expect(good.find(({ sampled }) => sampled !== undefined)).toMatchObject({
    msg: 'request',
    sampled: expect.any(Number) as number,
    request_id: expect.any(String) as string,
  })
  expect(logs.at(-1)).toMatchObject({ status: 404 })
  expect(await registry.metrics()).toContain('status="200"} 400')
})

test('durations are measured by route pattern, whatever paths are asked for', async () => {
  await post('/things/1')
  await post('/things/2')
  await get('/a')
  await get('/%zz')
  const counts = (await registry.metrics())
    .split('\n')
    .filter((line) => line.startsWith('http_request_duration_seconds_count{'))
  expect(counts).toEqual([
    'http_request_duration_seconds_count{method="POST",route="/things/:id",status="200"} 2',
    'http_request_duration_seconds_count{method="GET",route="none",status="404"} 1',
    'http_request_duration_seconds_count{method="GET",route="none",status="400"} 1',
  ])
})

describe('while tracing is off', () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'

  test('the log lines of a request name the trace of its caller', async () => {
    await get('/nowhere', { traceparent: `00-${trace}-00f067aa0ba902b7-01` })
    expect(logs).toMatchObject([{ msg: 'request', trace_id: trace }])
    expect(logs[0]).not.toHaveProperty('span_id')
  })

  test.each([{}, { traceparent: 'x' }, { traceparent: `00-${trace}-0-01` }])(
    'without one they name none: %j',
    async (headers) => {
      await get('/nowhere', headers)
      expect(logs).toHaveLength(1)
      expect(logs[0]).not.toHaveProperty('trace_id')
    },
  )
})
