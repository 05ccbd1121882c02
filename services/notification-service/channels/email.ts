import { createTransport } from 'nodemailer'
import type { OutboxEvent } from '@product-events/outbox'
import type { EmailSettings } from './config.ts'
import type { Delivery, DeliveryOutcome } from './delivery.ts'

/** A whole mail must be over well before the relay's SEND_TIMEOUT_MS, the wait at the gate included. */
export const MAIL_TIMEOUT_MS = 3_000

/** Told when a mail was taken for some of its recipients only; the others do not get it. */
export type OnRejected = (eventId: string, recipients: string[]) => void

export interface EmailChannel {
  deliver(event: OutboxEvent): Promise<DeliveryOutcome>
  close(): void
}

/**
 * Mails events by SMTP, as text and HTML. The Message-ID is made of the event's id: mail readers show a message that
 * comes again, after a retry, once.
 *
 * Resolves `unacceptable` when the server refuses the mail or all of its recipients for good (5xx). A wrong password is
 * tried again: somebody may mend it.
 */
export function emailChannel({ smtpUrl, from, to }: EmailSettings, onRejected: OnRejected): EmailChannel {
  const transport = createTransport({
    url: smtpUrl,
    connectionTimeout: MAIL_TIMEOUT_MS,
    greetingTimeout: MAIL_TIMEOUT_MS,
    socketTimeout: MAIL_TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const host =
    from
      .replace(/>?\s*$/, '')
      .split('@')
      .at(-1) ?? ''

  return {
    async deliver(event) {
      const { data } = JSON.parse(event.payload) as Delivery
      const mail = {
        from,
        to,
        subject: data.title,
        text: textOf(data),
        html: htmlOf(data),
        messageId: `<${event.eventId}@${host}>`,
        date: new Date(data.occurred_at),
        // Nobody's holiday should answer a machine (RFC 3834).
        headers: { 'Auto-Submitted': 'auto-generated' },
      }
      try {
        const { rejected } = await withinTime(transport.sendMail(mail))
        if (rejected.length > 0) onRejected(event.eventId, rejected)
        return { kind: 'accepted' }
      } catch (error) {
        return verdictOn(error as Error & { code?: string; responseCode?: number })
      }
    },
    close: () => transport.close(),
  }
}

/** A server that answers each command just in time could take for ever. What it takes later than this, it gets twice. */
async function withinTime<Result>(sending: Promise<Result>): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`not taken within ${MAIL_TIMEOUT_MS} ms`)), MAIL_TIMEOUT_MS)
  try {
    return await Promise.race([sending, promise])
  } finally {
    clearTimeout(timer)
  }
}

function verdictOn({ message, code, responseCode }: Error & { code?: string; responseCode?: number }): DeliveryOutcome {
  const forGood = responseCode !== undefined && responseCode >= 500 && (code === 'EENVELOPE' || code === 'EMESSAGE')
  return { kind: forGood ? 'unacceptable' : 'refused', reason: message || (code ?? 'unknown') }
}

function textOf({ title, message, product_id, occurred_at }: Delivery['data']): string {
  return `${title}\n\n${message}\n\nProduct: ${product_id}\nWhen: ${occurred_at}\n`
}

function htmlOf({ title, message, product_id, occurred_at }: Delivery['data']): string {
  return `<h1>${escape(title)}</h1>
<p>${escape(message)}</p>
<p>Product: <code>${escape(product_id)}</code><br>When: ${escape(occurred_at)}</p>
`
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
