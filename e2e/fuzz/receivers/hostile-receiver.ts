import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'

/** What a receiver does with a connection once it has read a request, or before. */
export interface Behaviour {
  /** Bytes that it writes, with a pause of `pauseMs` after each piece. */
  pieces: string[]
  pauseMs: number
  /** What it does then. */
  end: 'close' | 'reset' | 'hang'
  /** Writes before anything was sent to it. */
  early: boolean
}

const head = (status: string, ...headers: string[]) => [`HTTP/1.1 ${status}`, ...headers].join('\r\n') + '\r\n\r\n'

const answers = fc.oneof(
  fc.constantFrom(
    head('100 Continue'),
    head('101 Switching Protocols', 'connection: upgrade', 'upgrade: websocket'),
    head('102 Processing'),
    head('103 Early Hints', 'link: </x>'),
    head('200 OK', 'content-length: 0'),
    head('200 OK', 'content-length: 1000000'),
    head('200 OK', 'transfer-encoding: chunked') + 'zz\r\n',
    head('200 OK', 'content-encoding: gzip', 'content-length: 3') + 'abc',
    head('204 No Content', 'content-length: 5') + 'hello',
    head('301 Moved', 'location: http://169.254.169.254/', 'content-length: 0'),
    head('307 Temporary', 'location: /again', 'content-length: 0'),
    head('429 Too Many', 'retry-after: 99999999999999', 'content-length: 0'),
    head('503 No', 'retry-after: Wed, 21 Oct 9999 07:28:00 GMT', 'content-length: 0'),
    head('410 Gone', 'content-length: 0'),
    head('999 What', 'content-length: 0'),
    head('200 OK', `x: ${'y'.repeat(100_000)}`),
    'HTTP/1.0 200 OK\r\n\r\n',
    'HTTP/0.9\r\n\r\n',
    'SSH-2.0-OpenSSH_9.2\r\n',
    '\u0000\u0000\u0000',
    '',
  ),
  fc.string({ unit: 'binary', maxLength: 60 }),
)

export const behaviours: fc.Arbitrary<Behaviour> = fc.record({
  pieces: fc
    .array(answers, { minLength: 1, maxLength: 3 })
    .chain((all) => fc.boolean().map((slowly) => (slowly ? all.join('').slice(0, 40).split('') : all))),
  pauseMs: fc.constantFrom(0, 0, 50, 400),
  end: fc.constantFrom('close', 'reset', 'hang'),
  early: fc.boolean(),
})

/** A server on loopback that behaves as it is told, connection by connection. */
export async function startHostileReceiver() {
  let behaviour: Behaviour = { pieces: [], pauseMs: 0, end: 'close', early: false }
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => {}).once('close', () => sockets.delete(socket))
    const own = behaviour
    const answer = () => void misbehave(socket, own)
    if (own.early) answer()
    else socket.once('data', answer)
    socket.resume()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    become: (next: Behaviour) => void (behaviour = next),
    connections: () => connections,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

async function misbehave(socket: Socket, { pieces, pauseMs, end }: Behaviour): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return
    socket.write(piece)
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  if (end === 'close') socket.end()
  if (end === 'reset') socket.resetAndDestroy()
}
