import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface PrefixProxy extends AsyncDisposable {
  origin: string
  /** Paths that were asked for outside of the prefix. */
  outside(): string[]
}

/** A reverse proxy that serves `target` below `prefix`, and nothing more. */
export async function startPrefixProxy(target: string, prefix: string): Promise<PrefixProxy> {
  const outside: string[] = []
  const server = createServer((incoming, response) => {
    const { url = '', method, headers } = incoming
    if (!url.startsWith(`${prefix}/`)) {
      outside.push(url)
      response.writeHead(404).end()
      return
    }
    const passed = request(target + url.slice(prefix.length), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    passed.on('error', () => response.destroy())
    response.on('close', () => passed.destroy())
    incoming.pipe(passed)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    outside: () => outside,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
