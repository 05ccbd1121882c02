import type { FastifyInstance } from 'fastify'

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
