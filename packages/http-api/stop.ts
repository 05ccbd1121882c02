import type { Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

/**
 * A balancer learns from the readiness that another instance must take the requests, and needs this long to ask and
 * act. Requests are accepted until then. A balancer that asks less often needs another signal.
 */
const STILL_TAKE_MS = 1_000
/**
 * A request that arrives after that shows that the balancer is slow, as on a busy machine: it gets three times as much
 * again, and what came last still has three seconds for its answer.
 */
const TAKE_AT_MOST_MS = 4 * STILL_TAKE_MS
/** Without a request for so long the balancer has turned elsewhere: closing now meets no request on its way. */
const QUIET_MS = 500
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
 * Takes requests for up to a second more, and for up to three more while they still arrive, as long as there are
 * connections that they may come over, but no second one on any of them; then stops listening, and resolves once every
 * request under way is answered. Connections that are idle by then are closed. Connections that are still open
 * `cutAfterMs` after the first second is cut off, such as a request of which only half ever arrived.
 */
export async function stopHttpApi(app: Pick<FastifyInstance, 'close' | 'server'>, cutAfterMs: number): Promise<void> {
  leaving.add(app.server)
  const start = performance.now()
  await untilTurnedElsewhere(app.server, start)
  // Closing resets connections that the kernel has and that are not accepted yet: those that wait now are.
  await new Promise((resolve) => void setImmediate(resolve))
  const cutInMs = Math.max(0, start + STILL_TAKE_MS + cutAfterMs - performance.now())
  const timer = setTimeout(() => app.server.closeAllConnections(), cutInMs)
  try {
    await app.close()
  } finally {
    clearTimeout(timer)
  }
}

async function untilTurnedElsewhere(server: Server, start: number): Promise<void> {
  let cameAt = -Infinity
  const came = () => void (cameAt = performance.now())
  server.on('request', came)
  const until = () => Math.min(start + TAKE_AT_MOST_MS, Math.max(start + STILL_TAKE_MS, cameAt + QUIET_MS))
  while (performance.now() < until() && (await hasConnections(server))) await sleep(LOOK_EVERY_MS)
  server.off('request', came)
}

function hasConnections(server: Server): Promise<boolean> {
  return new Promise((resolve) => server.getConnections((_, count) => resolve(count > 0)))
}
