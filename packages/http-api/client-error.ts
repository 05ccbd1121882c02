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

/** Clients that never finish a request cost nothing but their line: this often at most for each reason. */
export const REPORT_EVERY_MS = 1_000

/** A socket of Node's HTTP server, which keeps the response that is under way there. */
type Answering = Socket & { _httpMessage?: ServerResponse | null }

export type AnswerClientError = (error: NodeJS.ErrnoException, socket: Socket) => void

/**
 * Returns what answers a connection whose bytes never became a request: Node could not parse them, or gave up waiting
 * for the rest. Each such refusal is answered, and logged at most once a second for each reason: `refused` says how
 * many.
 */
export function clientErrorAnswerer(logger: Logger): AnswerClientError {
  const report = refusalLines(logger)
  return (error, socket) => answerClientError(report, error, socket)
}

interface Refusal {
  request_id: string
  status: number
  reason: string
}

/** Logs the first refusal of a reason at once, and those of each following second together when it is over. */
function refusalLines(logger: Logger): (refusal: Refusal) => void {
  /** By reason: how many since the last line. The reasons are Node's error codes, some dozen. */
  const untold = new Map<string, number>()
  function tell(refusal: Refusal, refused: number): void {
    logger.info({ ...refusal, refused }, 'request refused')
    untold.set(refusal.reason, 0)
    setTimeout(() => tellRest(refusal), REPORT_EVERY_MS).unref()
  }
  function tellRest(last: Refusal): void {
    const refused = untold.get(last.reason) ?? 0
    untold.delete(last.reason)
    if (refused > 0) tell(last, refused)
  }
  return (refusal) => {
    const before = untold.get(refusal.reason)
    if (before === undefined) tell(refusal, 1)
    else untold.set(refusal.reason, before + 1)
  }
}

function answerClientError(report: (refusal: Refusal) => void, error: NodeJS.ErrnoException, socket: Answering): void {
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
  report({ request_id, status, reason: error.code ?? 'unknown' })
}
