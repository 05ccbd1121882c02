import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePort } from '@product-events/local'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

let server: Server
let proxy: TcpProxy
let received = ''
let client: Socket
let answer = ''

beforeEach(async () => {
  received = ''
  server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (data) => {
      received += data.toString()
      socket.write(`heard ${data.toString()}`)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: targetPort } = server.address() as { port: number }
  proxy = await startTcpProxy({ port: await freePort(), targetPort })
  await dial()
})
afterEach(async () => {
  client.destroy()
  await proxy.close()
  server.close()
  await once(server, 'close')
})

async function dial(): Promise<void> {
  answer = ''
  client = connect(proxy.port, '127.0.0.1')
  client.on('data', (data) => (answer += data.toString()))
  client.on('error', () => {})
  await new Promise((resolve) => client.once('connect', resolve).once('close', resolve))
}

test('what is sent arrives, both ways', async () => {
  client.write('tea')
  await expect.poll(() => answer).toBe('heard tea')
})

test('what is delayed arrives later, both ways, in its order', async () => {
  proxy.become({ kind: 'delay', ms: 100 })
  const start = performance.now()
  client.write('one ')
  await expect.poll(() => received).toBe('one ')
  client.write('two')
  await expect.poll(() => answer).toBe('heard one heard two')
  expect(performance.now() - start).toBeGreaterThan(195)
})

test('a black hole swallows in silence; when it is over what was sent arrives, though its sender has gone', async () => {
  proxy.become({ kind: 'blackhole' })
  client.write('late')
  client.end()
  client.destroy()
  await dial() // connecting works, and is all that does
  client.write('tea')
  await expect(vi.waitFor(() => expect(received).not.toBe(''), { timeout: 200 })).rejects.toThrow('not to be')
  proxy.become({ kind: 'pass' })
  await expect.poll(() => received).toContain('late')
  await expect.poll(() => answer).toBe('heard tea')
})

test('a cut ends the connections that are there and those that come, until it is mended', async () => {
  proxy.become({ kind: 'cut' })
  await expect.poll(() => client.closed).toBe(true)
  await dial()
  await expect.poll(() => client.closed).toBe(true)
  proxy.become({ kind: 'pass' })
  await dial()
  client.write('tea')
  await expect.poll(() => answer).toBe('heard tea')
})
