import { transaction } from '@product-events/database'
import { alsoAccept, type HttpApi, readPreconditions } from '@product-events/http-api'
import { activeTracer, databaseSpan, inSpan } from '@product-events/telemetry'
import { logLines } from '../log-lines.ts'
import { noSuchProduct, notInThatState, sendProduct } from './answers.ts'
import { deleteProduct } from './delete.ts'
import { etagOf } from './etag.ts'
import { isUuid } from './product-id.ts'
import type { ProductRoutesOptions } from './routes.ts'
import { deleteSchema, patchSchema } from './schemas.ts'
import { updateProduct } from './update.ts'

/** What changes a product that is there: each in a transaction of its own, one after the other. */
export function addChangeRoutes(app: HttpApi, { pool, metrics, nudge }: ProductRoutesOptions): void {
  const tracer = activeTracer()
  alsoAccept(app, 'application/merge-patch+json', (app) => {
    app.patch('/products/:id', { schema: patchSchema }, async (request, reply) => {
      const { id } = request.params
      const failed = readPreconditions(request.headers)
      if (!isUuid(id)) throw noSuchProduct()
      const update = await inSpan(tracer, request.trace, databaseSpan('UPDATE', 'products'), () =>
        transaction(pool, (tx) =>
          updateProduct(tx, id, request.body, (product) => !failed(etagOf(product)), request.trace),
        ),
      )
      if (update.kind === 'missing') throw noSuchProduct()
      if (update.kind === 'refused') throw notInThatState(etagOf(update.product))
      if (update.kind === 'updated') {
        nudge()
        metrics.updated.inc()
        logLines(request.log).updated({ product_id: update.product.id, event_id: update.event.id })
      }
      return sendProduct(reply, update.product)
    })
  })

  app.delete('/products/:id', { schema: deleteSchema }, async (request, reply) => {
    const { id } = request.params
    const failed = readPreconditions(request.headers)
    if (!isUuid(id)) throw noSuchProduct()
    const deletion = await inSpan(tracer, request.trace, databaseSpan('DELETE', 'products'), () =>
      transaction(pool, (tx) => deleteProduct(tx, id, (product) => !failed(etagOf(product)), request.trace)),
    )
    if (deletion.kind === 'missing') throw noSuchProduct()
    if (deletion.kind === 'refused') throw notInThatState(etagOf(deletion.product))
    nudge()
    metrics.deleted.inc()
    logLines(request.log).deleted({ product_id: deletion.event.subject, event_id: deletion.event.id })
    return reply.code(204).send(null)
  })
}
