import { createServer, type Server, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { Registry } from '@prometheus-io/client'

/** What is missing for the process to do its job, by part: `{}` when it is ready. */
export type Missing = Record<string, string>

export interface OperationsServerOptions {
  host: string
  port: number
  registry: Registry
  /** Asked on every `/health/ready`. Must answer quickly and must not throw. */
  missing: () => Promise<Missing>
}

/**
 * The port for the people on call, apart from the API's: `/metrics` for Prometheus, `/health/live` (the process
 * answers) and `/health/ready` (it can do its job; 503 and the missing parts by name when it can't).
 * Rejects when the port is taken.
 */
export async function startOperationsServer({
  host,
  port,
  registry,
  missing,
}: OperationsServerOptions): Promise<Server> {
  const server = createServer((request, response) => {
    answer(request.url ?? '/').catch((error: Error) => respond(response, 500, { error: error.message }))

    async function answer(url: string): Promise<void> {
      switch (url.split('?', 1)[0]) {
        case '/metrics': {
          const text = await registry.metrics()
          response.writeHead(200, { 'content-type': registry.contentType }).end(text)
          return
        }
        case '/health/live':
          return respond(response, 200, { status: 'live' })
        case '/health/ready': {
          const parts = await missing()
          const ready = Object.keys(parts).length === 0
          return respond(
            response,
            ready ? 200 : 503,
            ready ? { status: 'ready' } : { status: 'not ready', missing: parts },
          )
        }
        default:
          return respond(response, 404, { error: 'here are /metrics, /health/live and /health/ready' })
      }
    }
  })
  server.listen(port, host)
  await once(server, 'listening')
  return server
}

function respond(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body) + '\n')
}
