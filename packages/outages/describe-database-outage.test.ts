import { expect, test } from 'vitest'
import { databaseErrorOf, databaseOutage, describeDatabaseOutage } from './index.ts'

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

test('the error of the database is found in what a library made of it, and no other cause', () => {
  const wrapped = (cause: Error) => new Error('Failed query: INSERT … params: secret', { cause })
  const check = failure('violates check constraint', '23514')
  expect(databaseErrorOf(wrapped(wrapped(check)))).toBe(check)
  expect(databaseOutage(wrapped(check))).toBeUndefined()
  expect(databaseOutage(wrapped(failure('terminating connection', '57P01')))).toBe('terminating connection (57P01)')
  expect(databaseOutage(wrapped(failure('Connection terminated unexpectedly')))).toContain('Connection terminated')
  // A handler may call other systems.
  const fetchFailed = new TypeError('fetch failed', { cause: failure('connect ECONNREFUSED', 'ECONNREFUSED') })
  expect(databaseErrorOf(fetchFailed)).toBe(fetchFailed)
  expect(databaseOutage(fetchFailed)).toBeUndefined()
  expect(databaseOutage(new Error('x', { cause: failure('write EPIPE', 'EPIPE') }))).toBeUndefined()
})
