import type { Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

/**
 * A balancer learns from the readiness that another instance must take the requests, and needs this long to ask and
 * act. Requests are accepted until then. A balancer that asks less often needs another signal.
 */
const STILL_TAKE_MS = 1_000
/** The stop continues within this time after the last connection has closed. */
const LOOK_EVERY_MS = 50

const leaving = new WeakSet<Server>()

/** Tells the clients of answers that go out while the process stops to use another connection from now on. */
export function closePolitely(app: FastifyInstance): void {
  app.addHook('onSend', (_, reply, payload, done) => {
    if (leaving.has(app.server)) reply.header('connection', 'close')
    done(null, payload)
  })
}

/**
 * Takes requests for up to a second more, as long as there are connections that they may come over, but no second one
 * on any of them; then stops listening, and resolves once every request under way is answered. Connections that are
 * idle by then are closed. What is still open `cutAfterMs` after that second is cut off, such as a request of which
 * only half ever arrived.
 */
export async function stopHttpApi(app: Pick<FastifyInstance, 'close' | 'server'>, cutAfterMs: number): Promise<void> {
  leaving.add(app.server)
  for (
    const until = performance.now() + STILL_TAKE_MS;
    performance.now() < until && (await hasConnections(app.server));
  )
    await sleep(LOOK_EVERY_MS)
  const timer = setTimeout(() => app.server.closeAllConnections(), cutAfterMs)
  try {
    await app.close()
  } finally {
    clearTimeout(timer)
  }
}

function hasConnections(server: Server): Promise<boolean> {
  return new Promise((resolve) => server.getConnections((_, count) => resolve(count > 0)))
}
