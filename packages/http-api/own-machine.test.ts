import { createRegistry } from '@product-events/telemetry'
import { expect, test } from 'vitest'
import { recordLog } from '../telemetry/testing/log.ts'
import { createHttpApi, refuseOtherSites } from './index.ts'

const app = createHttpApi({ logger: recordLog().logger, registry: createRegistry() })
refuseOtherSites(app)
app.get('/things', () => ({}))

const get = async (headers: Record<string, string>, url = '/things') => (await app.inject({ url, headers })).statusCode

test.each(['localhost', 'LOCALHOST:8080', '127.0.0.1:8080', '127.1.2.3', '[::1]:8080'])(
  '%s is this machine',
  async (host) => {
    expect(await get({ host })).toBe(200)
    expect(await get({ host, origin: `http://${host}` })).toBe(200)
  },
)

test.each([
  'rebound.example:8080',
  'localhost.example',
  '127.0.0.1.nip.io',
  '10.0.0.1',
  '0.0.0.0:8080',
  '[::ffff:a00:1]',
  'x@127.0.0.1:80@y',
])('%s is another site: its name is refused, on every path, and so is its origin', async (host) => {
  expect([await get({ host }), await get({ host }, '/nothing')]).not.toContain(200)
  expect(await get({ host: '127.0.0.1', origin: `http://${host}` })).toBe(403)
})

test('a page without an origin of its own is another site', async () => {
  expect(await get({ host: '127.0.0.1', origin: 'null' })).toBe(403)
})
