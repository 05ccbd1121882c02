/**
 * How it is usually written: a pool, and for each request a transaction of four round trips. With ONE_STATEMENT set:
 * one statement for each request, so no transaction to open and close, but none shared either.
 */
import { randomUUIDv7 } from 'node:crypto'
import { fastify } from 'fastify'
import pg from 'pg'
import { newCreation, writeCreations } from '../../services/product-service/products/create.ts'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 20 })
const app = fastify()

app.get('/', () => 'ready')
app.post<{ Body: { name: string; description: string; price: number } }>('/products', async ({ body }, reply) => {
  if (process.env.ONE_STATEMENT) {
    const creation = newCreation(body)
    await writeCreations(pool, [creation])
    return reply.code(201).header('content-type', 'application/json; charset=utf-8').send(creation.answer.body)
  }
  const now = new Date().toISOString()
  const product = { id: randomUUIDv7(), ...body, version: 1, created_at: now, updated_at: now }
  const event = { id: randomUUIDv7(), type: 'product.created', subject: product.id, time: now, data: product }
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await client.query(
      `INSERT INTO products (id, name, description, price, version, created_at, updated_at)
       VALUES ($1, $2, $3, $4, 1, $5, $5)`,
      [product.id, product.name, product.description, product.price, now],
    )
    await client.query('INSERT INTO events (event_id, key, type, payload) VALUES ($1, $2, $3, $4)', [
      event.id,
      product.id,
      event.type,
      JSON.stringify(event),
    ])
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  } finally {
    client.release()
  }
  return reply.code(201).send(product)
})

await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })
