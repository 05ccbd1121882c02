import { expect, test } from 'vitest'
import { type AccessVariables, readAccess } from './access-config.ts'
import { isLoopback } from './loopback.ts'

const nothing: AccessVariables = {
  HOST: '127.0.0.1',
  AUTH: undefined,
  AUTH_JWKS_URL: undefined,
  AUTH_ISSUER: undefined,
  AUTH_AUDIENCE: undefined,
}
const all = { AUTH_JWKS_URL: 'https://id.example/keys', AUTH_ISSUER: 'https://id.example', AUTH_AUDIENCE: 'products' }
const issuer = { jwksUrl: 'https://id.example/keys', issuer: 'https://id.example', audience: 'products' }

test.each([
  '127.0.0.1',
  '127.8.9.10',
  '127.255.255.255',
  '::1',
  '0:0:0:0:0:0:0:1',
  '::ffff:127.0.0.1',
  'localhost',
  'LOCALHOST',
])('%s is loopback: nobody has to sign in', (HOST) => {
  expect(isLoopback(HOST)).toBe(true)
  expect(readAccess({ ...nothing, HOST })).toBeUndefined()
})

test.each([
  '0.0.0.0',
  '::',
  '128.0.0.1',
  '126.255.255.255',
  '10.0.0.1',
  '::2',
  'localhost.example',
  'db',
  '127.0.0.1.example',
])('%s is not: without AUTH_… or AUTH=off the service does not start', (HOST) => {
  expect(() => readAccess({ ...nothing, HOST })).toThrow(
    /^configuration: HOST=[^\n]+ AUTH_JWKS_URL[^\n]+ AUTH=off[^\n]+$/,
  )
  expect(readAccess({ ...nothing, HOST, AUTH: 'off' })).toBeUndefined()
  expect(readAccess({ ...nothing, HOST, ...all })).toEqual(issuer)
})

test('what is set is asked for on loopback too', () => {
  expect(readAccess({ ...nothing, ...all })).toEqual(issuer)
})

test.each(['AUTH_JWKS_URL', 'AUTH_ISSUER', 'AUTH_AUDIENCE'])(
  'without %s the other two are a mistake that is told',
  (name) => {
    const read = () => readAccess({ ...nothing, ...all, [name]: undefined })
    expect(read).toThrow(new RegExp(`^configuration: ${name} must be set too`))
  },
)

test('two that are missing are both named', () => {
  expect(() => readAccess({ ...nothing, AUTH_ISSUER: 'x' })).toThrow('AUTH_JWKS_URL and AUTH_AUDIENCE must be set too')
})

test('AUTH=off beside the others is a mistake that is told', () => {
  expect(() => readAccess({ ...nothing, ...all, AUTH: 'off' })).toThrow('exclude each other')
})
