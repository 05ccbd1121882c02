import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

export type RawReceiver = Awaited<ReturnType<typeof rawReceiver>>

/**
 * A TCP server that says what a test wants, HTTP or not. `answer` runs when a request has arrived, `greet` when a
 * connection is there.
 */
export async function rawReceiver(
  answer: (socket: Socket, request: number) => void,
  greet: (socket: Socket) => void = () => {},
) {
  const sockets = new Set<Socket>()
  let requests = 0
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    // Half of a connection is enough to answer, but no reason to keep one that the client has left.
    socket.on('end', () => setImmediate(() => socket.destroy()))
    greet(socket)
    socket.on('data', (chunk: Buffer) => {
      // A delivery is small: its request arrives in one piece that begins like this.
      if (chunk.toString('latin1').startsWith('POST ')) answer(socket, ++requests)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    requests: () => requests,
    connections: () => sockets.size,
    close: async (): Promise<void> => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Writes `text` again and again, as fast as the other side reads, until the connection is gone. */
export function writeForEver(socket: Socket, text: string): void {
  const block = text.repeat(Math.ceil(16_384 / text.length))
  const more = () => {
    if (socket.destroyed) return
    if (socket.write(block)) setImmediate(more)
    else socket.once('drain', more)
  }
  more()
}

/** Writes `first` at once, then `text` one character at a time, a character every 20 ms. */
export function writeSlowly(socket: Socket, text: string, first = ''): void {
  if (first !== '') socket.write(first)
  let at = 0
  const timer = setInterval(() => (at < text.length ? socket.write(text[at++] ?? '') : undefined), 20)
  socket.on('close', () => clearInterval(timer))
}
