import type { Service } from './open-service.ts'
import { describePortError } from './start-error.ts'

/** A Fastify instance, of which only the start is needed here. */
interface Listening {
  listen(options: { host: string; port: number; backlog: number }): Promise<string>
}

/** Starts the API, after which the service is ready. Resolves with its URL; rejects in words when the port is taken. */
export async function listen(
  { name, readiness }: Service,
  app: Listening,
  { host, httpPort, backlog }: { host: string; httpPort: number; backlog: number },
): Promise<string> {
  const url = await app.listen({ host, port: httpPort, backlog }).catch((error: Error) => {
    throw describePortError(error, `the API of ${name}`, httpPort, 'HTTP_PORT')
  })
  readiness.found('api')
  return url
}
