import { expect, test } from 'vitest'
import { readServiceConfig } from './config.ts'

const least = { DATABASE_URL: 'postgres://user:secret@db:5432', AWS_REGION: 'eu-central-1' }

test('what is not set has the values that the documentation gives', () => {
  expect(readServiceConfig(least)).toEqual({
    database: { url: 'postgres://user:secret@db:5432/notifications', credentials: { kind: 'url' }, migrate: 'start' },
    queueName: 'product-notifications',
    queueUrl: undefined,
    awsRegion: 'eu-central-1',
    sqsEndpoint: undefined,
    host: '127.0.0.1',
    httpPort: 8081,
    metricsPort: 8083,
    logLevel: 'info',
    access: undefined,
    onlyThisMachine: true,
  })
})

test('a queue may be given by its URL', () => {
  const queueUrl = 'https://sqs.eu-central-1.amazonaws.com/123456789012/orders.fifo'
  expect(readServiceConfig({ ...least, SQS_QUEUE_URL: queueUrl }).queueUrl).toBe(queueUrl)
})

test.each([
  ['DATABASE_URL', ''],
  ['DATABASE_URL', 'mysql://user:secret@db'],
  ['AWS_REGION', ''],
  ['SQS_QUEUE_NAME', 'with spaces'],
  ['SQS_QUEUE_URL', 'orders'],
  ['AWS_ENDPOINT_URL_SQS', 'localhost:4566'],
  ['HTTP_PORT', '65536'],
  ['METRICS_PORT', 'http'],
  ['LOG_LEVEL', 'loud'],
])('%s=%j is refused in one line that names it and shows no password', (name, value) => {
  const read = () => readServiceConfig({ ...least, [name]: value })
  expect(read).toThrow(new RegExp(`^configuration: ${name} [^\n]+$`))
  expect(read).not.toThrow('secret')
})
