import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

/** One span, as far as the tests ask. */
export interface CollectedSpan {
  service: string
  traceId: string
  spanId: string
  parentSpanId: string | undefined
  name: string
  kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer'
  attributes: Record<string, unknown>
  links: { traceId: string; spanId: string }[]
  failed: boolean
  startMs: number
  endMs: number
}

export interface Collector {
  /** OTEL_EXPORTER_OTLP_ENDPOINT. */
  endpoint: string
  spans: CollectedSpan[]
  ofTrace(traceId: string): CollectedSpan[]
  close(): Promise<void>
}

interface Attribute {
  key: string
  value: { stringValue?: string; intValue?: number; boolValue?: boolean; arrayValue?: { values: Attribute['value'][] } }
}
interface ExportRequest {
  resourceSpans: {
    resource: { attributes: Attribute[] }
    scopeSpans: { spans: OtlpSpan[] }[]
  }[]
}
interface OtlpSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  attributes: Attribute[]
  links: { traceId: string; spanId: string }[]
  status: { code?: number }
  startTimeUnixNano: string
  endTimeUnixNano: string
}

/** As OTLP numbers them, from 1 on; status code 2 is an error. */
const kinds = ['internal', 'server', 'client', 'producer', 'consumer'] as const

/** An OTLP receiver over HTTP with JSON, which keeps every span. */
export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = []
  async function keep(request: IncomingMessage): Promise<void> {
    const { resourceSpans } = (await json(request)) as ExportRequest
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = String(valuesOf(resource.attributes)['service.name'])
      for (const span of scopeSpans.flatMap((scope) => scope.spans)) spans.push(collected(service, span))
    }
  }

  const server = createServer((request, response) => {
    // A body that breaks off is not an export: the sender is gone.
    keep(request)
      .then(() => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'))
      .catch(() => request.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    ofTrace: (traceId) => spans.filter((span) => span.traceId === traceId),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function collected(service: string, span: OtlpSpan): CollectedSpan {
  const { traceId, spanId, name, links } = span
  return {
    service,
    traceId,
    spanId,
    parentSpanId: span.parentSpanId || undefined,
    name,
    kind: kinds[span.kind - 1] ?? 'internal',
    attributes: valuesOf(span.attributes),
    links: links.map((link) => ({ traceId: link.traceId, spanId: link.spanId })),
    failed: span.status.code === 2,
    startMs: Number(BigInt(span.startTimeUnixNano) / 1_000n) / 1_000,
    endMs: Number(BigInt(span.endTimeUnixNano) / 1_000n) / 1_000,
  }
}

function valuesOf(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? value.intValue ?? value.boolValue ?? value.arrayValue,
    ]),
  )
}
