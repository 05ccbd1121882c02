import { expect, test } from 'vitest'
import { queueName, queueUrl, readConfig } from './index.ts'

const read = (env: NodeJS.ProcessEnv) => readConfig(env, { SQS_QUEUE_NAME: queueName, SQS_QUEUE_URL: queueUrl })

test('without both, the queue has its usual name', () => {
  expect(read({})).toEqual({ SQS_QUEUE_NAME: 'product-notifications', SQS_QUEUE_URL: undefined })
})

test.each(['a', 'a'.repeat(80), `${'a'.repeat(75)}.fifo`, 'orders.fifo', 'Orders_2-x'])(
  '%s may be the name of a queue',
  (name) => {
    expect(read({ SQS_QUEUE_NAME: name }).SQS_QUEUE_NAME).toBe(name)
  },
)

test.each(['with spaces', 'a'.repeat(81), `${'a'.repeat(76)}.fifo`, '.fifo', 'orders.fifo.fifo', 'a.b', 'ä'])(
  '%s may not',
  (name) => {
    expect(() => read({ SQS_QUEUE_NAME: name })).toThrow(
      /^configuration: SQS_QUEUE_NAME must be the name of a queue[^\n]+$/,
    )
  },
)

test.each([
  'https://sqs.eu-central-1.amazonaws.com/123456789012/orders.fifo',
  'http://localhost:4566/000000000000/orders',
  'http://sqs.us-east-1.127.0.0.1:4566/000000000000/orders',
])('%s may be the URL of a queue', (url) => {
  expect(read({ SQS_QUEUE_URL: url }).SQS_QUEUE_URL).toBe(url)
})

test.each(['orders', 'sqs://host/orders', 'https://host', 'https://host/', 'https://host/a b'])('%s may not', (url) => {
  expect(() => read({ SQS_QUEUE_URL: url })).toThrow(/^configuration: SQS_QUEUE_URL must be the URL of a queue[^\n]+$/)
})
