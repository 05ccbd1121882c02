import { expect, test } from 'vitest'
import { readProductServiceConfig } from './config.ts'

const required = { DATABASE_URL: 'postgres://me:hunter2@db:5432', AWS_REGION: 'eu-central-1' }

test('with what is required and nothing else, the rest has the documented defaults', () => {
  expect(readProductServiceConfig(required)).toEqual({
    databaseUrl: 'postgres://me:hunter2@db:5432/products',
    queueName: 'product-notifications',
    queueUrl: undefined,
    awsRegion: 'eu-central-1',
    sqsEndpoint: undefined,
    host: '127.0.0.1',
    httpPort: 8080,
    metricsPort: 8082,
    logLevel: 'info',
    access: undefined,
    pollIntervalMs: 2000,
    retentionHours: 72,
  })
})

test('a database that the URL names is used', () => {
  const { databaseUrl } = readProductServiceConfig({
    ...required,
    DATABASE_URL: 'postgresql://db/mine?sslmode=require',
  })
  expect(databaseUrl).toBe('postgresql://db/mine?sslmode=require')
})

test.each(['DATABASE_URL', 'AWS_REGION'])('%s is required', (name) => {
  expect(() => readProductServiceConfig({ ...required, [name]: undefined })).toThrow(`${name} is not set: it must be`)
})

test.each([
  ['DATABASE_URL', 'me:hunter2@db'],
  ['SQS_QUEUE_URL', 'product-notifications'],
  ['AWS_ENDPOINT_URL_SQS', 'localhost:4566'],
  ['HTTP_PORT', 'http'],
  ['METRICS_PORT', '70000'],
  ['LOG_LEVEL', 'verbose'],
  ['OUTBOX_POLL_INTERVAL_MS', '2s'],
  ['OUTBOX_RETENTION_HOURS', '0'],
])('a malformed %s is told by name, without a secret', (name, value) => {
  const read = () => readProductServiceConfig({ ...required, [name]: value })
  expect(read).toThrow(new RegExp(`^configuration: ${name} must be [^\n]+$`))
  expect(read).not.toThrow('hunter2')
})
