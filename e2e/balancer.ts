import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Service } from './stack.ts'

/** Often enough to see within the second that an instance gives that it is not ready any more. */
const CHECK_EVERY_MS = 100

export interface Balancer {
  url: string
  /** Requests that got no answer from the instance they were sent to. */
  dropped: () => number
  stop(): Promise<void>
}

/**
 * What stands before instances of a service in production: hands requests in turn to those that are ready, over
 * connections that it keeps. Like any, it goes on to the next instance only if it could not connect: what was sent may
 * have been done.
 */
export async function startBalancer(instances: readonly Service[]): Promise<Balancer> {
  const agent = new Agent({ keepAlive: true })
  const ready = new Set(instances)
  let turn = 0
  let dropped = 0
  const stopped = new AbortController()
  // Each by itself: one that starts, and answers late, must not hide that another one stops.
  async function keepChecking(instance: Service): Promise<void> {
    while (!stopped.signal.aborted) {
      if (await isReady(instance)) ready.add(instance)
      else ready.delete(instance)
      await sleep(CHECK_EVERY_MS, undefined, { signal: stopped.signal }).catch(() => {})
    }
  }
  const checking = Promise.all(instances.map(keepChecking))

  function pass(incoming: IncomingMessage, response: ServerResponse, body: Buffer, refused: readonly Service[]): void {
    // Other requests take turns meanwhile: the next one in turn may be an instance that has just refused this one.
    const left = [...ready].filter((instance) => !refused.includes(instance))
    const instance = left[turn++ % Math.max(1, left.length)]
    if (!instance) return fail(response, `none of ${ready.size} ready instances took the connection`)
    const { method, url: path, headers } = incoming
    const { hostname: host, port } = new URL(instance.url)
    const passed = request({ agent, host, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, { 'content-type': 'application/json' })
      answer.pipe(response)
      answer.on('error', ({ message }) => fail(response, `the answer broke off: ${message}`))
    })
    passed.on('error', ({ code, message }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED') pass(incoming, response, body, [...refused, instance])
      else fail(response, `${message} over ${passed.reusedSocket ? 'an open' : 'a new'} connection`)
    })
    passed.end(body)
  }

  function fail(response: ServerResponse, why: string): void {
    dropped++
    if (response.headersSent) response.destroy()
    else response.writeHead(502).end(why)
  }

  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => pass(incoming, response, Buffer.concat(chunks), []))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    dropped: () => dropped,
    async stop() {
      stopped.abort()
      await checking
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
      agent.destroy()
    },
  }
}

async function isReady({ metricsUrl }: Service): Promise<boolean> {
  return fetch(`${metricsUrl}/health/ready`).then(
    ({ ok }) => ok,
    () => false,
  )
}
