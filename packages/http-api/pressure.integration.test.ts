import { Agent, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRegistry, type Registry } from '@product-events/telemetry'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createHttpApi, type HttpApi, leavePlace } from './index.ts'
import { recordLog } from '../telemetry/testing/log.ts'
import { MAX_IN_FLIGHT } from './pressure.ts'

let app: HttpApi
let agent: Agent
let registry: Registry
let logs: Record<string, unknown>[]
let waiting: (() => void)[]
let full: boolean
beforeEach(async () => {
  waiting = []
  full = false
  registry = createRegistry()
  const log = recordLog()
  logs = log.logs
  agent = new Agent({ keepAlive: true, maxSockets: Infinity })
  app = createHttpApi({ logger: log.logger, registry, isFull: () => full })
  app.get('/slow', async () => {
    await new Promise<void>((resolve) => waiting.push(resolve))
    return 'done'
  })
  app.get('/stream', async (_, reply) => {
    leavePlace(app.server, reply.raw)
    await new Promise<void>((resolve) => waiting.push(resolve))
    return 'end'
  })
  app.post('/quick', () => 'quick')
  await app.listen({ port: 0, host: '127.0.0.1' })
})
afterEach(async () => {
  for (const answer of waiting) answer()
  await app.close()
  agent.destroy()
})

interface Answer {
  status: number
  headers: Record<string, unknown>
  body: string
}

function send(method: string, path: string, body?: string): { answer: Promise<Answer>; abort: () => void } {
  const { port } = app.server.address() as AddressInfo
  const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length }
  const sent = request({ agent, port, host: '127.0.0.1', method, path, headers })
  const answer = new Promise<Answer>((resolve, reject) => {
    sent.on('error', reject)
    sent.on('response', (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
    })
  })
  sent.end(body)
  return { answer, abort: () => sent.destroy() }
}

test('as many requests as fit are taken; the next is 503 at once, and taken again when there is room', async () => {
  const taken = Array.from({ length: MAX_IN_FLIGHT }, () => send('GET', '/slow'))
  await expect.poll(() => waiting).toHaveLength(MAX_IN_FLIGHT)

  const refused = await send('POST', '/quick', '{"half":').answer
  expect(refused.status).toBe(503)
  expect(refused.headers).toMatchObject({
    'retry-after': '1',
    'content-type': 'application/problem+json',
    'x-content-type-options': 'nosniff',
  })
  expect(JSON.parse(refused.body)).toMatchObject({
    type: 'urn:problem-type:overloaded',
    status: 503,
    instance: '/quick',
    request_id: refused.headers['x-request-id'],
  })

  for (const answer of waiting.splice(0)) answer()
  expect(new Set((await Promise.all(taken.map(({ answer }) => answer))).map(({ status }) => status))).toEqual(
    new Set([200]),
  )
  expect((await send('POST', '/quick').answer).status).toBe(200)
})

test('callers that give up leave their places to others', async () => {
  const taken = Array.from({ length: MAX_IN_FLIGHT }, () => send('GET', '/slow'))
  await expect.poll(() => waiting).toHaveLength(MAX_IN_FLIGHT)
  for (const { answer, abort } of taken) {
    answer.catch(() => {})
    abort()
  }
  await expect.poll(async () => (await send('POST', '/quick').answer).status).toBe(200)
})

test('streams take no places, and their end gives none back', async () => {
  const streams = Array.from({ length: MAX_IN_FLIGHT + 10 }, () => send('GET', '/stream'))
  await expect.poll(() => waiting).toHaveLength(MAX_IN_FLIGHT + 10)
  expect((await send('POST', '/quick').answer).status).toBe(200)
  for (const answer of waiting.splice(0)) answer()
  await Promise.all(streams.map(({ answer }) => answer))

  const taken = Array.from({ length: MAX_IN_FLIGHT }, () => send('GET', '/slow'))
  await expect.poll(() => waiting).toHaveLength(MAX_IN_FLIGHT)
  expect((await send('POST', '/quick').answer).status).toBe(503)
  for (const answer of waiting.splice(0)) answer()
  await Promise.all(taken.map(({ answer }) => answer))
})

test('what is refused is counted each time, and logged once a second at most', async () => {
  full = true
  const answers = await Promise.all(Array.from({ length: 50 }, () => send('POST', '/quick').answer))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]))
  expect(await registry.metrics()).toContain(
    'http_request_duration_seconds_count{method="POST",route="none",status="503"} 50',
  )
  const lines = logs.filter(({ msg }) => String(msg).startsWith('overloaded'))
  expect(lines.length).toBeGreaterThan(0)
  expect(lines.length).toBeLessThan(5)
  full = false
  expect((await send('POST', '/quick').answer).status).toBe(200)
})

test('a refused body is not read as the next request of its connection', async () => {
  full = true
  const body = `{"name":"${'a'.repeat(60_000)}"}`
  for (let n = 0; n < 5; n++) expect((await send('POST', '/quick', body).answer).status).toBe(503)
  full = false
  expect((await send('POST', '/quick', '{}').answer).status).toBe(200)
})
