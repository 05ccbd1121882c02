import { describe, expect, test, vi } from 'vitest'
import {
  describePortError,
  integer,
  oneOf,
  optional,
  port,
  readConfig,
  secretUrl,
  StartError,
  text,
  url,
  waitUntilUp,
} from './index.ts'

const kinds = {
  DATABASE_URL: secretUrl(['postgres', 'postgresql'], 'postgres://user:password@host:5432'),
  ENDPOINT: optional(url(['http', 'https'])),
  HTTP_PORT: port(8080),
  POLL_MS: integer({ min: 10, max: 60_000, unit: 'milliseconds' }, 2000),
  LEVEL: oneOf(['info', 'debug'], 'info'),
  REGION: text('an AWS region'),
}
const required = { DATABASE_URL: 'postgres://u:hunter2@db:5432', REGION: 'eu-central-1' }

describe('readConfig', () => {
  test('what is not set, or empty, has its default', () => {
    expect(readConfig({ ...required, HTTP_PORT: '', LEVEL: ' ' }, kinds)).toEqual({
      DATABASE_URL: 'postgres://u:hunter2@db:5432',
      ENDPOINT: undefined,
      HTTP_PORT: 8080,
      POLL_MS: 2000,
      LEVEL: 'info',
      REGION: 'eu-central-1',
    })
  })

  test.each([
    ['HTTP_PORT', '0', 0],
    ['HTTP_PORT', '65535', 65535],
    ['POLL_MS', '10', 10],
    ['POLL_MS', '60000', 60000],
    ['LEVEL', 'debug', 'debug'],
    ['ENDPOINT', 'http://localhost:4566', 'http://localhost:4566'],
  ] as const)('%s=%s is read', (name, text, value) => {
    expect(readConfig({ ...required, [name]: text }, kinds)[name]).toBe(value)
  })

  test.each([
    ['HTTP_PORT', '65536', 'HTTP_PORT must be a port from 0 to 65535, not "65536"'],
    ['HTTP_PORT', '80a', 'HTTP_PORT must be a port from 0 to 65535, not "80a"'],
    ['HTTP_PORT', '-1', 'HTTP_PORT must be a port from 0 to 65535, not "-1"'],
    ['HTTP_PORT', '1e3', 'HTTP_PORT must be a port from 0 to 65535, not "1e3"'],
    ['POLL_MS', '9', 'POLL_MS must be a whole number of milliseconds from 10 to 60000, not "9"'],
    ['POLL_MS', '60001', 'POLL_MS must be a whole number of milliseconds from 10 to 60000, not "60001"'],
    ['LEVEL', 'loud', 'LEVEL must be one of info, debug, not "loud"'],
    ['ENDPOINT', 'localhost', 'ENDPOINT must be a URL like http://host:port, not "localhost"'],
    ['ENDPOINT', 'ftp://localhost', 'ENDPOINT must be a URL like http://host:port, not "ftp://localhost"'],
    ['REGION', '', 'REGION is not set: it must be an AWS region'],
  ])('%s=%s is told by name, with what was expected', (name, text, message) => {
    expect(() => readConfig({ ...required, [name]: text }, kinds)).toThrow(new StartError(`configuration: ${message}`))
  })

  test('a malformed secret is not shown, and several faults are one line', () => {
    const env = { DATABASE_URL: 'mysql://u:hunter2@db', LEVEL: 'x\ny' }
    const read = () => readConfig(env, kinds)
    expect(read).toThrow(/^configuration: DATABASE_URL must be a URL like .*; LEVEL must .*; REGION is not set.*$/)
    expect(read).not.toThrow(/hunter2/)
  })
})

describe('waitUntilUp', () => {
  test('keeps trying, and says what it waits for once and not at every try', async () => {
    const onWaiting = vi.fn()
    let tries = 0
    const attempt = () => (++tries < 3 ? Promise.reject(new Error('not\nyet')) : Promise.resolve('up'))
    expect(await waitUntilUp(attempt, { what: 'the database', onWaiting })).toBe('up')
    expect(onWaiting.mock.calls).toEqual([['the database', 'not yet']])
  })

  test('gives up with one line that names it and the last reason', async () => {
    const refused = new AggregateError([new Error('connect ECONNREFUSED ::1:1')])
    const attempt = () => Promise.reject(refused)
    const waiting = waitUntilUp(attempt, { what: 'the database', onWaiting: () => {}, giveUpAfterMs: 1 })
    await expect(waiting).rejects.toThrow(
      new StartError("the database can't be used, and did not get better in 0.001 s: connect ECONNREFUSED ::1:1"),
    )
  })

  test('does not wait for what time does not cure', async () => {
    const attempt = vi.fn(() => Promise.reject(new Error('wrong password')))
    const waiting = waitUntilUp(attempt, { what: 'the database', onWaiting: () => {}, isTemporary: () => false })
    await expect(waiting).rejects.toThrow("the database can't be used: wrong password")
    expect(attempt).toHaveBeenCalledTimes(1)
  })
})

test('a port in use is told by name and number, with the variable that changes it', () => {
  const error = Object.assign(new Error(), { code: 'EADDRINUSE' })
  expect(describePortError(error, 'the API', 8080, 'HTTP_PORT').message).toBe(
    'port 8080 (the API) is in use by another program; HTTP_PORT changes it',
  )
})
