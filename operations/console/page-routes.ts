import type { FastifyReply, FastifyRequest } from 'fastify'
import type { HttpApi } from '@product-events/http-api'
import { HttpProblem } from '@product-events/http-api'
import type { Registry } from '@product-events/telemetry'
import type { PageFile, PageFiles } from './page-files.ts'

/** The page, health and metrics: open to everybody, since they hold nothing of what the console knows. */
export function addPageRoutes(app: HttpApi, { files, policy }: PageFiles, registry: Registry): void {
  const open = { schema: { hide: true }, config: { open: true } } as const

  app.get('/', open, (request, reply) => {
    void reply.header('content-security-policy', policy)
    return send(request, reply, files.get('') as PageFile)
  })
  app.get('/page/*', open, (request, reply) => {
    const file = files.get(`page/${(request.params as { '*': string })['*']}`)
    if (!file) throw new HttpProblem('not-found', 'The page has no such file.')
    return send(request, reply, file)
  })
  for (const path of ['/health/live', '/health/started', '/health/ready']) {
    app.get(path, open, () => ({ status: path.slice('/health/'.length) }))
  }
  app.get('/metrics', open, async (_, reply) => reply.type(registry.contentType).send(await registry.metrics()))
}

function send({ headers }: FastifyRequest, reply: FastifyReply, file: PageFile): FastifyReply {
  void reply.headers({ 'cache-control': 'no-cache', etag: file.etag, vary: 'accept-encoding' })
  if (headers['if-none-match'] === file.etag) return reply.code(304).send()
  if (!/\bgzip\b/.test(headers['accept-encoding'] ?? '')) return reply.type(file.type).send(file.body)
  return reply.type(file.type).header('content-encoding', 'gzip').send(file.gzip)
}
