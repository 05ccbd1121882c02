// oxlint-disable-next-line typescript/triple-slash-reference -- no module of its own, and checked by whoever imports us
/// <reference path="./undici-agent.d.ts" />
import { HttpResponse, type HttpRequest } from '@smithy/core/transport'
import type { HttpHandlerOptions } from '@smithy/types'
import type { Dispatcher } from 'undici'
import Agent from 'undici/lib/dispatcher/agent.js'

/** SQS answers a send within milliseconds; a connection that takes longer than this is a dead one. */
const CONNECT_TIMEOUT_MS = 2_000
/** Unless SQS says otherwise. It closes idle connections itself, later than after undici's four seconds. */
const KEEP_ALIVE_MS = 60_000

export interface WireLimits {
  /** For a whole call, to the last byte of its answer. The SDK's own limit is over at the head of the answer. */
  requestTimeoutMs: number
  /** Calls under way at once; further ones wait for a connection. */
  maxConnections: number
}

type Answer = { response: HttpResponse }

/**
 * Sends the AWS SDK's requests by undici, which costs less than half of what Node's own client does. Errors have the
 * names and codes that the SDK's own handler gives them.
 */
export class UndiciHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' }
  readonly #agent: Agent
  readonly #limitMs: number

  constructor({ requestTimeoutMs, maxConnections }: WireLimits) {
    this.#limitMs = requestTimeoutMs
    const connect = { timeout: CONNECT_TIMEOUT_MS }
    // Each call has one limit for all of it, below.
    const noLimits = { headersTimeout: 0, bodyTimeout: 0 }
    const options = { connections: maxConnections, keepAliveTimeout: KEEP_ALIVE_MS, allowH2: false }
    this.#agent = new Agent({ ...options, ...noLimits, connect })
  }

  handle(request: HttpRequest, options: HttpHandlerOptions = {}): Promise<Answer> {
    const signal = options.abortSignal as AbortSignal | undefined
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    let controller: Dispatcher.DispatchController | undefined
    let abortedBy: Error | undefined
    let statusCode = 0
    let headers = {}
    const chunks: Buffer[] = []

    const abort = () => end(Object.assign(new Error('Request aborted'), { name: 'AbortError' }))
    const timer = setTimeout(abort, this.#limitMs)
    signal?.addEventListener('abort', abort)
    function end(error?: Error): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      if (error === undefined) {
        const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
        return resolve({ response: new HttpResponse({ statusCode, headers, body }) })
      }
      // A call that waits for a connection has no controller yet.
      abortedBy = error
      controller?.abort(error)
      reject(error)
    }
    if (signal?.aborted) abort()
    else
      this.#agent.dispatch(dispatchOf(request), {
        onRequestStart(started) {
          controller = started
          if (abortedBy) controller.abort(abortedBy)
        },
        onResponseStart(_, status, received) {
          statusCode = status
          headers = received
        },
        onResponseData: (_, chunk) => void chunks.push(chunk),
        onResponseEnd: () => end(),
        onResponseError: (_, error) => abortedBy ?? end(namedAsBySdk(error)),
      })
    return promise
  }

  destroy(): void {
    // Calls under way are rejected.
    void this.#agent.destroy()
  }

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): object {
    return {}
  }
}

function dispatchOf({
  protocol,
  hostname,
  port,
  path,
  method,
  headers,
  body,
}: HttpRequest): Dispatcher.DispatchOptions {
  const origin = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`
  return { origin, path, method: method, headers, body: body as string }
}

function namedAsBySdk(error: Error & { code?: string }): Error {
  if (error.code === 'UND_ERR_SOCKET')
    return Object.assign(new Error('socket hang up', { cause: error }), { name: 'TimeoutError', code: 'ECONNRESET' })
  const isTimeout = /^(UND_ERR_CONNECT_TIMEOUT|ECONNRESET|EPIPE|ETIMEDOUT)$/.test(error.code ?? '')
  return isTimeout ? Object.assign(error, { name: 'TimeoutError' }) : error
}
