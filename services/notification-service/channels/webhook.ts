import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import type { OutboxEvent } from '@product-events/outbox'
import { Webhook } from 'standardwebhooks'
import { forbiddenLiteral, ForbiddenAddress, guardedLookup } from './address-guard.ts'
import type { WebhookEndpoint } from './config.ts'
import type { DeliveryOutcome } from './delivery.ts'

/** Together with the wait at the gate it must stay below the relay's SEND_TIMEOUT_MS. */
export const REQUEST_TIMEOUT_MS = 3_000
/** Nobody needs an answer's body; what is longer than this costs the connection instead of being read. */
const MAX_ANSWER_BYTES = 64 * 1024

export interface WebhookChannel {
  deliver(event: OutboxEvent): Promise<DeliveryOutcome>
  close(): void
}

/**
 * Posts events to one endpoint by the rules of Standard Webhooks (https://www.standardwebhooks.com): signed, 2xx within
 * three seconds is accepted, 410 is the end, anything else is tried again. Redirects are not followed. Unless the host
 * is allowed by name, it connects to public addresses only.
 */
export function webhookChannel(
  { url, secrets }: WebhookEndpoint,
  { allowed, maxSockets }: { allowed: boolean; maxSockets: number },
): WebhookChannel {
  const signers = secrets.map((secret) => new Webhook(secret))
  const { Agent, request } = url.protocol === 'https:' ? https : http
  const agent = new Agent({ keepAlive: true, maxSockets, ...(!allowed && { lookup: guardedLookup }) })
  const forbidden = allowed ? undefined : forbiddenLiteral(url.hostname)

  async function post(event: OutboxEvent): Promise<number> {
    const at = new Date()
    const sent = request(url, {
      method: 'POST',
      agent,
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      headers: {
        'content-type': 'application/json',
        'user-agent': 'product-events',
        'webhook-id': event.eventId,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        ...traceHeadersOf(event),
        'webhook-signature': signers.map((signer) => signer.sign(event.eventId, at, event.payload)).join(' '),
      },
    })
    sent.end(event.payload)
    const [answer] = (await once(sent, 'response')) as [http.IncomingMessage]
    // The verdict is in; an answer that breaks off after it changes nothing, but its error must not go unheard.
    for (const part of [sent, answer]) part.on('error', () => {})
    let bytes = 0
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > MAX_ANSWER_BYTES) answer.destroy()
    })
    return answer.statusCode ?? 0
  }

  return {
    async deliver(event) {
      if (forbidden) return { kind: 'refused', reason: forbidden.message }
      try {
        return verdictOn(await post(event))
      } catch (error) {
        return { kind: 'refused', reason: reasonOf(error as NodeJS.ErrnoException) }
      }
    },
    close: () => agent.destroy(),
  }
}

/** So that a receiver that traces as well goes on with the same trace. */
function traceHeadersOf({ headers: { traceparent, tracestate } }: OutboxEvent): Record<string, string> {
  if (traceparent === undefined) return {}
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate }
}

function verdictOn(status: number): DeliveryOutcome {
  if (status >= 200 && status < 300) return { kind: 'accepted' }
  if (status === 410) return { kind: 'gone', reason: 'it answered 410 Gone' }
  if (status >= 300 && status < 400)
    return { kind: 'refused', reason: `it answered ${status}, and redirects are not followed` }
  return { kind: 'refused', reason: `it answered ${status}` }
}

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error instanceof ForbiddenAddress) return error.message
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return `no answer within ${REQUEST_TIMEOUT_MS} ms`
  // Several addresses tried: an AggregateError, whose own message is empty.
  return error.message || (error.code ?? error.name)
}
