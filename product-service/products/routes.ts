import { transaction } from 'database'
import { type HttpApi, HttpProblem } from 'http-api'
import type pg from 'pg'
import { logLines } from '../log-lines.ts'
import type { Metrics } from '../metrics.ts'
import { createProduct } from './create.ts'
import { deleteProduct } from './delete.ts'
import { getProduct } from './get.ts'
import { listProducts } from './list.ts'
import { isUuid } from './product-id.ts'
import { createSchema, deleteSchema, getSchema, listSchema } from './schemas.ts'

export interface ProductRoutesOptions {
  pool: pg.Pool
  metrics: Metrics
  /** Told after each commit that there is an event to send. */
  nudge: () => void
}

export function addProductRoutes(app: HttpApi, { pool, metrics, nudge }: ProductRoutesOptions): void {
  app.post('/products', { schema: createSchema }, async (request, reply) => {
    const { product, event } = await transaction(pool, (tx) => createProduct(tx, request.body))
    nudge()
    metrics.created.inc()
    logLines.created(request.log, { product_id: product.id, event_id: event.id })
    return reply.code(201).header('location', `/products/${product.id}`).send(product)
  })

  app.get('/products', { schema: listSchema }, ({ query }) => listProducts(pool, query.limit, query.token))

  app.get('/products/:id', { schema: getSchema }, async ({ params: { id } }) => {
    const product = isUuid(id) && (await getProduct(pool, id))
    if (!product) throw noSuchProduct()
    return product
  })

  app.delete('/products/:id', { schema: deleteSchema }, async (request, reply) => {
    const { id } = request.params
    const event = isUuid(id) && (await transaction(pool, (tx) => deleteProduct(tx, id)))
    if (!event) throw noSuchProduct()
    nudge()
    metrics.deleted.inc()
    logLines.deleted(request.log, { product_id: event.subject, event_id: event.id })
    return reply.code(204).send(null)
  })
}

function noSuchProduct(): HttpProblem {
  return new HttpProblem('not-found', 'There is no product with this id.')
}
