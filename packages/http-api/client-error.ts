import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Logger } from '@product-events/telemetry'
import { MEDIA_TYPE, problemBody, type ProblemCode, problems } from './problems.ts'

const CODES: Record<string, { code: ProblemCode; detail: string }> = {
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'request-timeout', detail: 'The request did not arrive in time.' },
  CONNECT: { code: 'malformed-request', detail: 'This server is no proxy: it does not support CONNECT.' },
  HPE_HEADER_OVERFLOW: { code: 'headers-too-large', detail: 'URL and headers may have at most 16384 bytes together.' },
}

/** A socket of Node's HTTP server, which keeps the response that is under way there. */
type Answering = Socket & { _httpMessage?: ServerResponse | null }

/** Answers what never became a request: Node could not parse it, or gave up waiting for the rest of it. */
export function answerClientError(logger: Logger, error: NodeJS.ErrnoException, socket: Answering): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  // The request was refused by its head before its body broke off: a second answer would belong to the next request.
  const { _httpMessage: underWay } = socket
  if (underWay?.headersSent) return socket.destroySoon()
  const { code, detail } = CODES[error.code ?? ''] ?? { code: 'malformed-request', detail: 'This is not HTTP/1.1.' }
  const { status } = problems[code]
  const request_id = randomUUID()
  const body = JSON.stringify(problemBody(code, { detail, instance: '', request_id }))
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      `Content-Type: ${MEDIA_TYPE}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${request_id}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  )
  logger.info({ request_id, status, reason: error.code }, 'request refused')
}
