import { expect, test } from 'vitest'
import { fromSns, type Message } from './index.ts'

const seen: Message[] = []
const parse = fromSns((message) => {
  seen.push(message)
  return { kind: 'invalid', reason: 'only looking' }
})
const looked = (message: Message) => {
  parse(message)
  return seen.pop()
}

test('a wrapped message is parsed as what was published, with its attributes', () => {
  const Body = JSON.stringify({
    Type: 'Notification',
    MessageId: 'sns-1',
    TopicArn: 'arn:aws:sns:eu-west-1:1:t',
    Message: '{"a":1}',
    MessageAttributes: {
      type: { Type: 'String', Value: 'order.paid' },
      bytes: { Type: 'Binary', Value: Buffer.from('x').toString('base64') },
    },
  })
  expect(looked({ MessageId: 'sqs-1', Body, Attributes: { ApproximateReceiveCount: '1' } })).toEqual({
    MessageId: 'sqs-1',
    Body: '{"a":1}',
    Attributes: { ApproximateReceiveCount: '1' },
    MessageAttributes: {
      type: { DataType: 'String', StringValue: 'order.paid' },
      bytes: { DataType: 'Binary', BinaryValue: Buffer.from('x') },
    },
  })
})

test.each([
  ['a raw message', '{"a":1}'],
  ['an event that is called Notification', '{"Type":"Notification","Message":"hello"}'],
  ['what is no JSON', 'hello'],
  ['null', 'null'],
  ['nothing', undefined],
])('%s is parsed as it is', (_, Body) => {
  const message = { Body, MessageAttributes: { a: { DataType: 'String', StringValue: 'b' } } }
  expect(looked(message)).toBe(message)
})
