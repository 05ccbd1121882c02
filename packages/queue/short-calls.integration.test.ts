import {
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { Sha256 } from '@smithy/core/checksum'
import { SignatureV4 } from '@smithy/signature-v4'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { connectSqs } from './index.ts'

/** One answer of a server that stands for SQS: bytes on the wire, or what it does to the connection. */
type Reply = (socket: Socket) => void

interface Received {
  headers: IncomingHttpHeaders
  body: string
}

let server: Server
let url: string
let reply: Reply
let received: Received[]
let ours: SQSClient
/** The SDK as it comes, but for what `connectSqs` leaves off on purpose: retries and MD5. */
let reference: SQSClient
beforeEach(async () => {
  received = []
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'KEY')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
  vi.stubEnv('AWS_SESSION_TOKEN', 'session')
  server = createServer((request) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      received.push({ headers: request.headers, body })
      reply(request.socket)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const options = { endpoint: url, region: 'eu-west-1' }
  ours = connectSqs({ ...options, requestTimeoutMs: 60_000, maxConnections: 1 })
  reference = new SQSClient({ ...options, useQueueUrlAsEndpoint: false, maxAttempts: 1, md5: false })
})
afterEach(() => {
  vi.unstubAllEnvs()
  for (const sqs of [ours, reference]) sqs.destroy()
  server.close()
  server.closeAllConnections()
})

const answer =
  (status: number, body: string, headers: Record<string, string> = {}): Reply =>
  (socket) => {
    const all = { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': 'the-request', ...headers }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`HTTP/1.1 ${status} x\r\n${lines.join('')}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }
const error = (type: string, rest = '') => `{"__type":"com.amazonaws.sqs#${type}","message":"the reason"${rest}}`

const QueueUrl = 'https://sqs.eu-west-1.amazonaws.com/1/queue'
const attributes = { type: { DataType: 'String', StringValue: 'é "quoted" \u2028' } }
const Entries = [
  { Id: '1', MessageBody: '{"name":"Café ☕ 😀"}', MessageAttributes: attributes, MessageGroupId: undefined },
  { Id: '2', MessageBody: '' },
]
const calls = {
  send: () => new SendMessageBatchCommand({ QueueUrl, Entries }),
  receive: () => new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] }),
  delete: () => new DeleteMessageBatchCommand({ QueueUrl, Entries: [{ Id: '0', ReceiptHandle: 'handle' }] }),
  'send bytes': () => {
    const BinaryValue = Uint8Array.of(1, 2, 255)
    const bytes = { bytes: { DataType: 'Binary', BinaryValue } }
    return new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: '1', MessageBody: 'x', MessageAttributes: bytes }] })
  },
}
type Call = keyof typeof calls

/** What a call comes to, with everything that a caller can see of it. */
async function outcome(sqs: SQSClient, call: Call): Promise<object> {
  try {
    const output = await sqs.send(calls[call]() as SendMessageBatchCommand)
    return { output: { ...output } }
  } catch (thrown) {
    const { name, message, constructor, ...own } = thrown as Error
    return { name, message, constructor, own, $response: '$response' in (thrown as object) }
  }
}

async function goOnceAllTheWay(call: Call): Promise<void> {
  reply = answer(200, '{}')
  await ours.send(calls[call]() as SendMessageBatchCommand)
  received = []
}

const messages = `{"Messages":[{"MessageId":"m","ReceiptHandle":"r","MD5OfBody":"d","Body":"{\\"a\\":null}",
  "Attributes":{"SentTimestamp":"1"},"MessageAttributes":{"type":{"DataType":"String","StringValue":"t"}}}]}`

test.each<[string, Call, Reply]>([
  ['accepted', 'send', answer(200, '{"Successful":[{"Id":"1","MessageId":"a","MD5OfMessageBody":"b"}]}')],
  [
    'accepted in part',
    'send',
    answer(200, '{"Successful":[{"Id":"1"}],"Failed":[{"Id":"2","Code":"InternalError","SenderFault":false}]}'),
  ],
  ['nulls', 'send', answer(200, '{"Successful":null,"Failed":[{"Id":"2","SenderFault":true,"Code":"x"}]}')],
  ['bytes sent', 'send bytes', answer(200, '{"Successful":[{"Id":"1"}]}')],
  ['messages', 'receive', answer(200, messages)],
  [
    'bytes received',
    'receive',
    answer(200, messages.replace('"StringValue":"t"', '"BinaryValue":"AQL/","DataType":"Binary"')),
  ],
  ['no messages', 'receive', answer(200, '{}')],
  ['no body', 'receive', answer(200, '')],
  ['deleted', 'delete', answer(200, '{"Successful":[{"Id":"0"}],"Failed":[]}')],
  ['a page of a proxy', 'send', answer(200, '<html>Sign in</html>', { 'content-type': 'text/html' })],
  ['half an answer', 'send', answer(200, '{"Successful":[{"Id"')],
  [
    'no queue',
    'send',
    answer(400, error('QueueDoesNotExist'), {
      'x-amzn-query-error': 'AWS.SimpleQueueService.NonExistentQueue;Sender',
    }),
  ],
  ['an empty batch', 'send', answer(400, error('EmptyBatchRequest'))],
  ['throttled', 'send', answer(400, error('RequestThrottled'))],
  ['throttled otherwise', 'receive', answer(429, error('ThrottlingException', ',"retryAfterSeconds":1'))],
  ['too long', 'send', answer(400, error('BatchRequestTooLong'))],
  ['unknown', 'delete', answer(400, error('SomethingNew', ',"detail":{"a":1}'))],
  ['expired', 'send', answer(403, error('ExpiredTokenException'))],
  ['not allowed', 'receive', answer(403, error('AccessDeniedException'))],
  ['of another time', 'send', answer(403, error('InvalidSignatureException'), { date: new Date(0).toUTCString() })],
  ['broken', 'send', answer(500, error('InternalFailure'))],
  ['overloaded', 'send', answer(503, '')],
  ['a page of a load balancer', 'receive', answer(503, '<html>', { 'content-type': 'text/html' })],
  ['XML', 'send', answer(403, '<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>')],
  ['moved', 'send', answer(301, '', { location: 'http://127.0.0.1:1/' })],
  ['closed', 'send', (socket) => socket.end()],
  ['reset', 'delete', (socket) => socket.resetAndDestroy()],
])('%s: a short call (%s) comes to what the SDK makes of it, and sends the same', async (_, call, answered) => {
  await goOnceAllTheWay(call)
  reply = answered
  const [expected, actual] = [await outcome(reference, call), await outcome(ours, call)]
  expect(actual).toEqual(expected)
  const [theirs, mine] = received.map(withoutTime)
  expect(mine).toEqual(theirs)
})

/** Without the times, what follows from them, and what the SDK's retries add. */
function withoutTime({ headers, body }: Received): object {
  const { authorization: _, 'x-amz-date': date, 'amz-sdk-invocation-id': __, 'amz-sdk-request': ___, ...rest } = headers
  const { connection: ____, 'content-length': _____, 'x-amz-content-sha256': ______, ...same } = rest
  return { headers: { ...same, signed: date !== undefined }, body: JSON.parse(body) as unknown }
}

test('a connection that is refused is the error it is from the SDK', async () => {
  await goOnceAllTheWay('send')
  server.close()
  server.closeAllConnections()
  const [expected, actual] = [await outcome(reference, 'send'), await outcome(ours, 'send')]
  expect(actual).toEqual(expected)
  expect(actual).toMatchObject({ own: { code: 'ECONNREFUSED' } })
})

test('an answer that breaks off is a lost connection', async () => {
  await goOnceAllTheWay('send')
  reply = (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"Suc')
  const lost = { name: 'TimeoutError', code: 'ECONNRESET', $metadata: { attempts: 1 } }
  await expect(ours.send(calls.send())).rejects.toMatchObject(lost)
})

test('an aborted call ends as it does in the SDK, and its connection serves the next', async () => {
  await goOnceAllTheWay('send')
  reply = () => {}
  const abort = (sqs: SQSClient) =>
    sqs
      .send(calls.send(), { abortSignal: AbortSignal.timeout(20) })
      .catch(({ name, message }: Error) => ({ name, message }))
  const [expected, actual] = [await abort(reference), await abort(ours)]
  expect(actual).toEqual(expected)
  reply = answer(200, '{}')
  await expect(ours.send(calls.send())).resolves.toBeDefined()
})

test('a short call is signed by the keys of its time and by the clock of SQS', async () => {
  await goOnceAllTheWay('send')
  const ahead = 3_600_000
  reply = answer(200, '{}', { date: new Date(Date.now() + ahead).toUTCString() })
  await ours.send(calls.send())
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'NEXT')
  await ours.config.credentials({ forceRefresh: true })
  await ours.send(calls.send())
  const { headers, body } = received.at(-1)!
  const signedAt = String(headers['x-amz-date']).replace(/(\d{4})(\d\d)(\d\dT\d\d)(\d\d)/, '$1-$2-$3:$4:')
  expect(Date.parse(signedAt) - Date.now()).toBeGreaterThan(ahead / 2)

  const signer = new SignatureV4({
    service: 'sqs',
    region: 'eu-west-1',
    credentials: { accessKeyId: 'NEXT', secretAccessKey: 'secret', sessionToken: 'session' },
    sha256: Sha256,
  })
  const names = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1]?.split(';') ?? []
  const signed = Object.fromEntries(names.map((name) => [name, String(headers[name])]))
  const request = { method: 'POST', protocol: 'http:', hostname: '127.0.0.1', path: '/', query: {}, body }
  const again = await signer.sign({ ...request, headers: signed }, { signingDate: new Date(signedAt) })
  expect(headers.authorization).toBe(again.headers.authorization)
})
