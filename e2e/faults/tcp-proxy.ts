import { once } from 'node:events'
import { createServer, connect as connectSocket, type Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * What a network may do:
 * - `pass`: nothing;
 * - `delay`: every piece of data takes `ms` longer, in both directions;
 * - `blackhole`: nothing arrives and neither side learns it. Bytes sent meanwhile arrive when it is over, even from a
 * client
 *   that has given up: that is how a packet comes late;
 * - `cut`: every connection is reset, the new ones too.
 */
export type Network = { kind: 'pass' } | { kind: 'delay'; ms: number } | { kind: 'blackhole' } | { kind: 'cut' }

export interface TcpProxy {
  port: number
  /** From now on. */
  become(network: Network): void
  /** New connections go to this port, as after a failover. */
  leadTo(targetPort: number): void
  close(): Promise<void>
}

/** Listens on 127.0.0.1 at `port` and leads every connection to `targetPort` there, through a network that may fail. */
export async function startTcpProxy(options: { port: number; targetPort: number }): Promise<TcpProxy> {
  const { port } = options
  let { targetPort } = options
  const sockets = new Set<Socket>()
  let network: Network = { kind: 'pass' }
  let changed = Promise.withResolvers<void>()

  async function* through(data: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of data) {
      while (network.kind === 'blackhole') await changed.promise
      if (network.kind === 'delay') await sleep(network.ms)
      yield piece
    }
  }

  function cutAll(): void {
    for (const socket of sockets) socket.resetAndDestroy()
  }

  // Half open, or the end of a client would take away what it sent before.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    if (network.kind === 'cut') {
      client.on('error', () => {}).resetAndDestroy()
      return
    }
    const target = connectSocket({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    for (const socket of [client, target]) {
      sockets.add(socket)
      socket.on('error', () => {}) // the pipelines know, and end the other side
      socket.once('close', () => sockets.delete(socket))
    }
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      pipeline(from, through, to).catch(() => {
        from.destroy()
        to.destroy()
      })
    }
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')

  return {
    port,
    become(next) {
      network = next
      changed.resolve()
      changed = Promise.withResolvers()
      if (network.kind === 'cut') cutAll()
    },
    leadTo: (next) => void (targetPort = next),
    async close() {
      network = { kind: 'cut' }
      changed.resolve()
      cutAll()
      server.close()
      await once(server, 'close')
    },
  }
}
