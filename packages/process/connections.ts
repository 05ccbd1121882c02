import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Keeps at most `max` connections: a new one closes the connection that has been idle for longest, or, when all are
 * busy, the oldest. So connections that are only held open do not lock out others. A half-sent request counts as idle.
 */
export function boundConnections(server: Server, max: number): void {
  // Sets keep the order of insertion: the first is the oldest.
  const idle = new Set<Socket>()
  const busy = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    idle.add(socket)
    socket.once('close', () => void (idle.delete(socket) || busy.delete(socket)))
    if (idle.size + busy.size <= max) return
    for (const oldest of [...first(idle), ...first(busy)].slice(0, 1)) {
      idle.delete(oldest)
      busy.delete(oldest)
      oldest.destroy()
    }
  })
  for (const event of ['request', 'checkContinue', 'checkExpectation'] as const) {
    server.on(event, ({ socket }, response) => {
      if (!idle.delete(socket)) return
      busy.add(socket)
      response.once('close', () => {
        if (busy.delete(socket)) idle.add(socket)
      })
    })
  }
}

function first(sockets: Set<Socket>): Socket[] {
  for (const socket of sockets) return [socket]
  return []
}
