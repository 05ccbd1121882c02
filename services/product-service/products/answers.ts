import type { Product } from '@product-events/contracts'
import type { FastifyReply } from 'fastify'
import { HttpProblem } from '@product-events/http-api'
import type { Answer } from './create.ts'
import { etagOf } from './etag.ts'

/** Sends JSON text. The schema of the reply describes this text and changes nothing in it. */
export function sendJson(reply: FastifyReply, body: string): FastifyReply {
  return reply.header('content-type', 'application/json; charset=utf-8').send(body)
}

export function sendAnswer(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  return sendJson(reply.code(status).headers(headers), body)
}

export function noSuchProduct(): HttpProblem {
  return new HttpProblem('not-found', 'There is no product with this id.')
}

export function notInThatState(etag: string): HttpProblem {
  return new HttpProblem('precondition-failed', `The ETag of the product is ${etag}.`)
}

export function sendProduct(reply: FastifyReply, product: Product): FastifyReply {
  return sendJson(reply.header('etag', etagOf(product)), JSON.stringify(product))
}
