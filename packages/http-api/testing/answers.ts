/**
 * For test runs: every answer of an API that has a document is held against it, also those that the test itself does
 * not look at. Vitest loads this file before each test file; a service that a test starts as a process loads it by
 * `--import`.
 */
import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type AnswerCheck, createAnswerCheck } from './check-answer.ts'
import type { OpenApiDocument } from '../openapi-document.ts'

/** Answers without a description, since the last call. */
export function takeUndescribedAnswers(): string[] {
  return found.splice(0)
}

const found: string[] = []

subscribe('fastify.initialization', (message) => {
  const { fastify: app } = message as { fastify: FastifyInstance }
  let check: AnswerCheck | undefined
  app.addHook('onSend', (request, reply, payload, done) => {
    if (app.hasDecorator('swagger')) {
      check ??= createAnswerCheck(app.swagger() as unknown as OpenApiDocument)
      const fault = faultIn(check, request, reply, payload)
      if (fault !== undefined) report(`${request.method} ${request.url} ${reply.statusCode}: ${fault}`)
    }
    done(null, payload)
  })
})

function faultIn(
  check: AnswerCheck,
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): string | undefined {
  if (request.routeOptions.schema?.hide) return undefined
  const contentType = reply.getHeader('content-type')
  return check({
    method: request.method,
    path: request.routeOptions.url?.replaceAll(/:(\w+)/g, '{$1}'),
    status: reply.statusCode,
    mediaType: typeof contentType === 'string' ? contentType.split(';')[0] : undefined,
    headers: reply.getHeaders(),
    body: typeof payload === 'string' || Buffer.isBuffer(payload) ? payload.toString() : undefined,
  })
}

/** A test file collects them; a process ends, so that the test that uses it can't go on. */
function report(fault: string): void {
  if (process.env.VITEST) return void found.push(fault)
  process.stderr.write(`an answer that the document does not describe: ${fault}\n`)
  process.exit(70)
}
