import { expect, test } from 'vitest'
import { readProductServiceConfig, readRelayConfig } from './config.ts'

const required = { DATABASE_URL: 'postgres://me:hunter2@db:5432', AWS_REGION: 'eu-central-1' }

test('with what is required and nothing else, the rest has the documented defaults', () => {
  expect(readProductServiceConfig(required)).toEqual({
    database: { url: 'postgres://me:hunter2@db:5432/products', credentials: { kind: 'url' }, migrate: 'start' },
    relay: 'on',
    queueName: 'product-notifications',
    queueUrl: undefined,
    awsRegion: 'eu-central-1',
    sqsEndpoint: undefined,
    host: '127.0.0.1',
    httpPort: 8080,
    metricsPort: 8082,
    logLevel: 'info',
    access: undefined,
    onlyThisMachine: true,
    pollIntervalMs: 2000,
    retentionHours: 72,
  })
})

test('a database that the URL names is used', () => {
  const { database } = readProductServiceConfig({
    ...required,
    DATABASE_URL: 'postgresql://db/mine?sslmode=require',
  })
  expect(database.url).toBe('postgresql://db/mine?sslmode=require')
})

test.each(['DATABASE_URL', 'AWS_REGION'])('%s is required', (name) => {
  expect(() => readProductServiceConfig({ ...required, [name]: undefined })).toThrow(`${name} is not set: it must be`)
})

test.each([
  ['DATABASE_URL', 'me:hunter2@db'],
  ['SQS_QUEUE_NAME', 'with spaces'],
  ['SQS_QUEUE_URL', 'product-notifications'],
  ['AWS_ENDPOINT_URL_SQS', 'localhost:4566'],
  ['HTTP_PORT', 'http'],
  ['METRICS_PORT', '70000'],
  ['LOG_LEVEL', 'verbose'],
  ['OUTBOX_POLL_INTERVAL_MS', '2s'],
  ['OUTBOX_RETENTION_HOURS', '0'],
  ['AUTH', 'on'],
  ['AUTH_JWKS_URL', 'keys.json'],
])('a malformed %s is told by name, without a secret', (name, value) => {
  const read = () => readProductServiceConfig({ ...required, [name]: value })
  expect(read).toThrow(new RegExp(`^configuration: ${name} must be [^\n]+$`))
  expect(read).not.toThrow('hunter2')
})

test('off loopback the API needs to be told who may call, and the relay, which has none, does not', () => {
  expect(() => readProductServiceConfig({ ...required, HOST: '0.0.0.0' })).toThrow('AUTH_JWKS_URL')
  expect(readProductServiceConfig({ ...required, HOST: '0.0.0.0', AUTH: 'off' }).access).toBeUndefined()
  expect(readRelayConfig({ ...required, HOST: '0.0.0.0' }).host).toBe('0.0.0.0')
})

test('who signs the tokens is read from three variables', () => {
  const issuer = { AUTH_JWKS_URL: 'https://id.example/keys', AUTH_ISSUER: 'https://id.example', AUTH_AUDIENCE: 'shop' }
  expect(readProductServiceConfig({ ...required, ...issuer }).access).toEqual({
    jwksUrl: 'https://id.example/keys',
    issuer: 'https://id.example',
    audience: 'shop',
  })
})
