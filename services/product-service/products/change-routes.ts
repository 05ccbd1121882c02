import { alsoAccept, type HttpApi, inTime, readEntityTags } from '@product-events/http-api'
import { activeTracer, databaseSpan, inSpan } from '@product-events/telemetry'
import { logLines } from '../log-lines.ts'
import { noSuchProduct, notInThatState, sendProduct } from './answers.ts'
import { newChange } from './change.ts'
import { deleteProduct } from './delete.ts'
import { etagOf } from './etag.ts'
import { isUuid } from './product-id.ts'
import type { ProductRoutesOptions } from './routes.ts'
import { deleteSchema, patchSchema } from './schemas.ts'
import { updateProduct } from './update.ts'

/** The routes that change a product, each by one statement. */
export function addChangeRoutes(app: HttpApi, { pool, metrics, nudge }: ProductRoutesOptions): void {
  const tracer = activeTracer()
  alsoAccept(app, 'application/merge-patch+json', (app) => {
    app.patch('/products/:id', { schema: patchSchema }, async (request, reply) => {
      const { id } = request.params
      const change = newChange(readEntityTags(request.headers), request.trace)
      if (!isUuid(id)) throw noSuchProduct()
      const update = await inSpan(tracer, request.trace, databaseSpan('UPDATE', 'products'), () =>
        inTime(updateProduct(pool, id, request.body, change)),
      )
      if (update.kind === 'missing') throw noSuchProduct()
      if (update.kind === 'refused') throw notInThatState(etagOf(update.product))
      if (update.kind === 'updated') {
        nudge()
        metrics.updated.inc()
        logLines(request.log).updated({ product_id: update.product.id, event_id: change.eventId })
      }
      return sendProduct(reply, update.product)
    })
  })

  app.delete('/products/:id', { schema: deleteSchema }, async (request, reply) => {
    const { id } = request.params
    const change = newChange(readEntityTags(request.headers), request.trace)
    if (!isUuid(id)) throw noSuchProduct()
    const deletion = await inSpan(tracer, request.trace, databaseSpan('DELETE', 'products'), () =>
      inTime(deleteProduct(pool, id, change)),
    )
    if (deletion.kind === 'missing') throw noSuchProduct()
    if (deletion.kind === 'refused') throw notInThatState(etagOf(deletion.product))
    nudge()
    metrics.deleted.inc()
    logLines(request.log).deleted({ product_id: id.toLowerCase(), event_id: change.eventId })
    return reply.code(204).send(null)
  })
}
