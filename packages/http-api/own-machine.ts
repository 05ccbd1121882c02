import { isLoopback } from '@product-events/process'
import type { FastifyInstance } from 'fastify'
import { HttpProblem } from './problems.ts'

/**
 * Where no sign-in is required only this machine's own programs and pages may ask. A name that a stranger points at
 * 127.0.0.1 is not a name of this machine, and a request of another site's page carries that site as its origin.
 */
export function refuseOtherSites(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ headers: { host, origin } }) => {
    if ((host !== undefined && !isOwn(`http://${host}`)) || (origin !== undefined && !isOwn(origin)))
      throw new HttpProblem('forbidden', 'Without sign-in only pages and programs of this machine are answered.')
  })
}

function isOwn(url: string): boolean {
  return URL.canParse(url) && isLoopback(new URL(url).hostname.replaceAll(/[[\]]/g, ''))
}
