import { createRegistry } from '@product-events/telemetry'
import { beforeEach, expect, test } from 'vitest'
import { createHttpApi, type HttpApi } from './index.ts'
import { recordLog } from '../telemetry/testing/log.ts'

let app: HttpApi
let logs: Record<string, unknown>[]
let failure: Error
beforeEach(() => {
  const log = recordLog()
  logs = log.logs
  app = createHttpApi({ logger: log.logger, registry: createRegistry() })
  app.get('/failing', () => {
    throw failure
  })
})

async function ask() {
  const answer = await app.inject('/failing')
  return { status: answer.statusCode, headers: answer.headers, answer }
}

test.each([
  ['ECONNREFUSED', ''],
  ['57P01', 'terminating connection due to administrator command'],
  ['53100', 'could not extend file: No space left on device'],
  ['25006', 'cannot execute INSERT in a read-only transaction'],
  ['57014', 'canceling statement due to statement timeout'],
  ['08006', ''],
  ['42501', 'permission denied for table events'],
  ['42P01', 'relation "products" does not exist'],
  ['42703', 'column "x" does not exist'],
  [undefined, 'Query read timeout'],
  [undefined, 'timeout exceeded when trying to connect'],
  [undefined, 'Connection terminated due to connection timeout'],
])('a database that fails with %s %s is 503 with Retry-After, and told in the log', async (code, message) => {
  failure = Object.assign(new Error(message), { code })
  const { status, headers, answer } = await ask()
  expect(status).toBe(503)
  expect(headers['retry-after']).toBe('2')
  expect(answer.json()).toMatchObject({ detail: 'The database can’t be used just now. Please try again.' })
  expect(logs[0]).toMatchObject({ level: 50, reason: expect.stringContaining(code ?? message) as string })
})

test('an id that a sequence gave out twice, as after a restore, is 503 and no bug', async () => {
  failure = Object.assign(new Error('duplicate key'), { code: '23505', constraint: 'events_pkey' })
  expect((await ask()).status).toBe(503)
  expect(logs[0]).toMatchObject({ level: 50, reason: expect.stringContaining('a sequence is behind') as string })
})

test('what the database fails is told to its watch, and the requests have no lines of their own', async () => {
  const reasons: string[] = []
  const log = recordLog()
  const watched = createHttpApi({
    logger: log.logger,
    registry: createRegistry(),
    database: { failed: (_, reason) => reasons.push(reason) },
  })
  watched.get('/', () => {
    throw Object.assign(new Error(''), { code: 'ECONNREFUSED' })
  })
  for (let n = 0; n < 3; n++) expect((await watched.inject('/')).statusCode).toBe(503)
  expect(reasons).toEqual(['ECONNREFUSED', 'ECONNREFUSED', 'ECONNREFUSED'])
  expect(log.logs).toEqual([])
  await watched.close()
})

test.each(['23505', '22P02', '42601', 'EACCES'])('an error with code %s is a bug, not an outage', async (code) => {
  failure = Object.assign(new Error('x'), { code })
  expect((await ask()).status).toBe(500)
})
