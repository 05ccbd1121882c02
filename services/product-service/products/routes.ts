import type { FastifyReply } from 'fastify'
import { type HttpApi, HttpProblem, inTime, readPreconditions } from '@product-events/http-api'
import type pg from 'pg'
import { logLines } from '../log-lines.ts'
import type { Metrics } from '../metrics.ts'
import { noSuchProduct, notInThatState, sendAnswer, sendJson } from './answers.ts'
import { type Batches, createBatches } from './batches.ts'
import { addChangeRoutes } from './change-routes.ts'
import { createProductsOnce } from './create-once.ts'
import { type Creation, newCreation } from './create.ts'
import { pageQuery } from './list.ts'
import { isUuid } from './product-id.ts'
import { createSchema, getSchema, listSchema } from './schemas.ts'

export interface ProductRoutesOptions {
  pool: pg.Pool
  metrics: Metrics
  /** Called after each commit: there is an event to publish. */
  nudge: () => void
}

export function addProductRoutes(app: HttpApi, options: ProductRoutesOptions): void {
  const batches = createBatches(options.pool, options.nudge)
  addCreateRoute(app, batches, options)
  addReadRoutes(app, batches)
  addChangeRoutes(app, options)
}

function addCreateRoute(app: HttpApi, { write }: Batches, { pool, metrics }: ProductRoutesOptions): void {
  const createOnce = createProductsOnce({ db: pool, write })

  app.post('/products', { schema: createSchema }, async (request, reply) => {
    const key = request.headers['idempotency-key']
    if (key === undefined) {
      const creation = newCreation(request.body, request.trace)
      await inTime(write(creation))
      return created(creation)
    }
    const once = await inTime(createOnce({ caller: request.caller, key }, request.body, request.trace))
    if (once.kind === 'other-request')
      throw new HttpProblem('idempotency-key-reused', 'This Idempotency-Key came with another body before.')
    if (once.kind === 'in-progress')
      throw new HttpProblem('request-in-progress', 'The first request with this Idempotency-Key is not done yet.')
    if (once.kind === 'replayed') return sendAnswer(reply.header('idempotency-replayed', 'true'), once.answer)
    return created(once.creation)

    function created({ product, event, answer }: Creation): FastifyReply {
      // The caller waits for the answer only.
      void sendAnswer(reply, answer)
      metrics.created.inc()
      logLines(request.log).created({ product_id: product.id, event_id: event.id })
      return reply
    }
  })
}

function addReadRoutes(app: HttpApi, { get, list }: Batches): void {
  app.get('/products', { schema: listSchema }, async ({ query }, reply) =>
    sendJson(reply, await inTime(list(pageQuery(query.limit, query.token)))),
  )

  app.get('/products/:id', { schema: getSchema }, async ({ params, headers }, reply) => {
    const failed = readPreconditions(headers)
    const id = params.id.toLowerCase()
    const product = isUuid(id) && (await inTime(get(id)))
    if (!product) throw noSuchProduct()
    const { etag, body } = product
    const precondition = failed(etag)
    if (precondition === 'if-match') throw notInThatState(etag)
    void reply.header('etag', etag)
    return precondition === 'if-none-match' ? reply.code(304).send(null) : sendJson(reply, body)
  })
}
