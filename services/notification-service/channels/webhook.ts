import http from 'node:http'
import https from 'node:https'
import type { OutboxEvent } from '@product-events/outbox'
import { Webhook } from 'standardwebhooks'
import { forbiddenLiteral, ForbiddenAddress, lookupBy } from './address-guard.ts'
import type { WebhookEndpoint } from './config.ts'
import type { DeliveryOutcome } from './delivery.ts'
import { refused } from './outcomes.ts'
import type { Resolve } from './resolve.ts'

/**
 * From the look-up of the name to the status of the answer. With the wait for a place it stays below the relay's send
 * timeout.
 */
export const REQUEST_TIMEOUT_MS = 3_000
/**
 * An answer's body is not used. One that is over by then leaves its connection to the next request, another costs it.
 */
const BODY_TIMEOUT_MS = 250
const MAX_BODY_BYTES = 64 * 1024
/** 1xx answers before the final one. One or two are usual; a stream of them would keep the event loop busy. */
const MAX_INTERIM_ANSWERS = 10

export interface WebhookChannel {
  deliver(event: OutboxEvent): Promise<DeliveryOutcome>
  close(): void
}

/**
 * Posts events to one endpoint by the rules of Standard Webhooks (https://www.standardwebhooks.com): signed, 2xx within
 * three seconds is accepted, 410 disables the endpoint, any other answer is retried. Redirects are not followed. Unless
 * the host is allowed by name, it connects to public addresses only.
 *
 * `deliver` settles within `REQUEST_TIMEOUT_MS`, whatever the receiver does.
 */
export function webhookChannel(
  { url, secrets }: WebhookEndpoint,
  { resolve, allowed }: { resolve: Resolve; allowed: boolean },
): WebhookChannel {
  const signers = secrets.map((secret) => new Webhook(secret))
  const { Agent, request } = url.protocol === 'https:' ? https : http
  const lookup = lookupBy(resolve, { publicOnly: !allowed })
  const agent = new Agent({ keepAlive: true, lookup })
  const forbidden = allowed ? undefined : forbiddenLiteral(url.hostname)

  function post(event: OutboxEvent, connection: http.RequestOptions): http.ClientRequest {
    const at = new Date()
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'product-events',
      'webhook-id': event.eventId,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      ...traceHeadersOf(event),
      'webhook-signature': signers.map((signer) => signer.sign(event.eventId, at, event.payload)).join(' '),
    }
    return request(url, { method: 'POST', headers, ...connection }).end(event.payload)
  }

  return {
    async deliver(event) {
      if (forbidden) return refused(forbidden.message)
      try {
        const deadline = performance.now() + REQUEST_TIMEOUT_MS
        const verdict = await verdictOf(post(event, { agent }), deadline)
        if (verdict !== 'stale connection') return verdict
        const again = await verdictOf(post(event, { agent: false, lookup }), deadline)
        return again === 'stale connection' ? refused(CLOSED) : again
      } catch (error) {
        return refused(`the request can't be made: ${(error as Error).message}`)
      }
    },
    close: () => agent.destroy(),
  }
}

/**
 * Resolves with the first of: the status, an error, the end of the connection, the end of the time. Never rejects.
 * `stale connection`: the receiver had closed a connection of an earlier request, at the moment when this one took it.
 */
function verdictOf(sent: http.ClientRequest, deadlineAt: number): Promise<DeliveryOutcome | 'stale connection'> {
  const { promise, resolve } = Promise.withResolvers<DeliveryOutcome | 'stale connection'>()
  const giveUp = (reason: string) => {
    resolve(refused(reason))
    sent.destroy()
  }
  const noAnswer = () => giveUp(`no answer within ${REQUEST_TIMEOUT_MS} ms`)
  const deadline = setTimeout(noAnswer, deadlineAt - performance.now())
  let interim = 0
  sent.on('information', () => {
    if (++interim > MAX_INTERIM_ANSWERS) giveUp(`more than ${MAX_INTERIM_ANSWERS} interim answers`)
  })
  // Without a listener Node says nothing about a 101 at all: neither this event, nor a response, nor an error.
  sent.on('upgrade', (_, socket) => {
    socket.destroy()
    giveUp('it answered 101, and the protocol is not switched')
  })
  sent.on('response', (answer) => {
    resolve(verdictOn(answer.statusCode ?? 0))
    discardBody(answer)
  })
  sent.on('error', (error: NodeJS.ErrnoException) => {
    const isStale = sent.reusedSocket && /^(ECONNRESET|EPIPE)$/.test(error.code ?? '')
    resolve(isStale ? 'stale connection' : refused(reasonOf(error)))
  })
  sent.on('close', () => {
    clearTimeout(deadline)
    resolve(refused(CLOSED))
  })
  return promise
}

/**
 * The verdict is in: a body that breaks off changes nothing, and one that does not end must not keep its connection.
 */
function discardBody(answer: http.IncomingMessage): void {
  const timer = setTimeout(() => answer.destroy(), BODY_TIMEOUT_MS)
  let bytes = 0
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) answer.destroy()
  })
  answer.on('error', () => {})
  answer.on('close', () => clearTimeout(timer))
}

/** A receiver that traces as well continues the same trace. */
function traceHeadersOf({ headers: { traceparent, tracestate } }: OutboxEvent): Record<string, string> {
  if (traceparent === undefined) return {}
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate }
}

function verdictOn(status: number): DeliveryOutcome {
  if (status >= 200 && status < 300) return { kind: 'accepted' }
  if (status === 410) return { kind: 'gone', reason: 'it answered 410 Gone' }
  if (status >= 300 && status < 400) return refused(`it answered ${status}, and redirects are not followed`)
  return refused(`it answered ${status}`)
}

const CLOSED = 'it closed the connection without an answer'

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error instanceof ForbiddenAddress) return error.message
  if (error.code === 'HPE_HEADER_OVERFLOW') return `the headers of its answer are too large (${error.code})`
  if (error.code?.startsWith('HPE_')) return `its answer is not HTTP (${error.code})`
  if (error.code === 'ECONNRESET' && error.message === 'socket hang up') return CLOSED
  // Several addresses were tried: the message of an AggregateError is empty.
  return error.message || (error.code ?? error.name)
}
