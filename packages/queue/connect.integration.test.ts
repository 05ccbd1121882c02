import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ListQueuesCommand } from '@aws-sdk/client-sqs'
import { localCredentials } from '@product-events/local'
import { expect, onTestFinished, test } from 'vitest'
import { connectSqs } from './connect.ts'

Object.assign(process.env, localCredentials)

test.each([
  ['never begins', ''],
  ['stops after its head', 'HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 9\r\n\r\n'],
  [
    'stops in its body',
    'HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 9\r\n\r\n{"Que',
  ],
])('a call whose answer %s ends when its time is over', async (_, beginning) => {
  const server = createServer((request) => void request.socket.write(beginning)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const sqs = connectSqs({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'x',
    requestTimeoutMs: 200,
    maxConnections: 1,
  })
  onTestFinished(() => {
    sqs.destroy()
    server.close()
    server.closeAllConnections()
  })

  // Twice: with one connection, the second call needs that the first gave it back.
  for (let call = 0; call < 2; call++) {
    const asked = performance.now()
    await expect(sqs.send(new ListQueuesCommand({}))).rejects.toThrow('abort')
    expect(performance.now() - asked).toBeLessThan(10_000)
  }
})
