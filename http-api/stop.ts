import type { FastifyInstance } from 'fastify'

/** Tells the clients of answers that go out while the process stops to use another connection from now on. */
export function closePolitely(app: FastifyInstance): void {
  let closing = false
  app.addHook('preClose', (done) => {
    closing = true
    done()
  })
  app.addHook('onSend', (_, reply, payload, done) => {
    if (closing) reply.header('connection', 'close')
    done(null, payload)
  })
}

/**
 * Stops listening and resolves once every request under way is answered. Idle connections are closed at once; what is
 * still open after `cutAfterMs` is cut off, such as a request of which only half ever arrived.
 */
export async function stopHttpApi(app: Pick<FastifyInstance, 'close' | 'server'>, cutAfterMs: number): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), cutAfterMs)
  try {
    await app.close()
  } finally {
    clearTimeout(timer)
  }
}
