import { expect, test } from 'vitest'
import { describeDatabaseOutage } from './index.ts'

const where = '127.0.0.1:5432/products'
const failure = (message: string, code?: string) => Object.assign(new Error(message), code && { code })

test.each([
  [failure('', 'ECONNREFUSED'), `PostgreSQL at ${where} refused the connection (ECONNREFUSED). Is it running?`],
  [failure('timeout expired'), `PostgreSQL at ${where} does not answer (timeout expired). Is it frozen`],
  [
    failure('password authentication failed for user "x"', '28P01'),
    'refused the login: password authentication failed',
  ],
  [failure('getaddrinfo ENOTFOUND db', 'ENOTFOUND'), `The host of ${where} has no address (ENOTFOUND).`],
  [failure('database "products" does not exist', '3D000'), 'Start the services once, or create it.'],
  [
    failure('the database system is starting up', '57P03'),
    'cannot be used: the database system is starting up (57P03).',
  ],
])('%s is told with the server and the way out', (error, text) => {
  expect(describeDatabaseOutage(error, where)).toContain(text)
})

test('an error of a statement is no outage', () => {
  expect(describeDatabaseOutage(failure('duplicate key', '23505'), where)).toBeUndefined()
})
