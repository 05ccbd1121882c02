/** Fastify alone: no database, no log, no validation. Answers every request with the bytes in ANSWER. */
import { readFileSync } from 'node:fs'
import { fastify } from 'fastify'

const answer = readFileSync(process.env.ANSWER ?? '', 'utf8')
const app = fastify()

app.get('/*', (_, reply) => reply.header('content-type', 'application/json; charset=utf-8').send(answer))
app.post('/products', (_, reply) =>
  reply.code(201).header('content-type', 'application/json; charset=utf-8').send(answer),
)

await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })
