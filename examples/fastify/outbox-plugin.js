/**
 * A Fastify plugin: `app.register(outboxPlugin, { owner, pool, send })`. `request.transaction(work)` runs `work(tx,
 * append)` in one transaction; the relay starts when the app is ready and stops when it closes.
 */
import { createOutbox } from '@product-events/outbox'
import fp from 'fastify-plugin'

async function outboxPlugin(app, { owner, pool, send, schema }) {
  const outbox = createOutbox({ schema })
  const relay = outbox.createRelay({ owner, db: pool, send, report: (report) => app.log.debug(report) })
  const stopping = new AbortController()
  let relaying

  app.decorateRequest('transaction', async (work) => {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      const result = await work(client, (...events) => outbox.append(client, events))
      await client.query('COMMIT')
      relay.nudge()
      return result
    } catch (error) {
      await client.query('ROLLBACK')
      throw error
    } finally {
      client.release()
    }
  })

  app.addHook('onReady', async () => {
    await outbox.migrate(pool)
    relaying = relay.run(stopping.signal)
    relaying.catch((error) => app.log.error(error, 'the outbox can not be used'))
  })
  app.addHook('onClose', async () => {
    stopping.abort()
    await relaying
  })
}

export default fp(outboxPlugin, { name: 'outbox' })
