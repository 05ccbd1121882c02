import { setTimeout as sleep } from 'node:timers/promises'
import MailComposer from 'nodemailer/lib/mail-composer'
import type { OutboxEvent } from '@product-events/outbox'
import type { EmailSettings } from './config.ts'
import type { Delivery, DeliveryOutcome } from './delivery.ts'
import { mailOf } from './email-text.ts'
import { refused, unacceptable } from './outcomes.ts'
import type { Resolve } from './resolve.ts'
import { type Conversation, converse, type SmtpError } from './smtp.ts'

/** A process has ten seconds to stop: the server's answer to a message that it has is waited for this long. */
const LAST_ANSWER_MS = 4_000

/** The next process makes the delivery, without having lost an attempt. */
const STOPPING = { kind: 'postponed', reason: 'the process stops', delayMs: 0 } as const

/** Called when a mail was accepted for some of its recipients only; the others do not get it. */
export type OnRejected = (eventId: string, recipients: string[]) => void

export interface EmailOptions {
  resolve: Resolve
  onRejected: OnRejected
}

export interface EmailChannel {
  /** One conversation with the mail server, which may last for minutes. */
  deliver(event: OutboxEvent): Promise<DeliveryOutcome>
  /** Ends the conversations: at once before the message is handed over, after 4 s at the latest when it is. */
  close(): Promise<void>
}

/**
 * Mails events by SMTP, as text and HTML, one mail for each recipient. The Message-ID is made of the event's id: mail
 * readers show a message that arrives twice, after a lost answer, once.
 *
 * Resolves `unacceptable` when the server refuses the recipient or the message for good (5xx). A refused password, or
 * a refused sender, is retried: the operator can correct it.
 */
export function emailChannel({ server, from, to }: EmailSettings, { resolve, onRejected }: EmailOptions): EmailChannel {
  const open = new Set<Conversation>()
  let closing = false
  const host =
    from
      .replace(/>?\s*$/, '')
      .split('@')
      .at(-1) ?? ''

  async function compose(event: OutboxEvent) {
    const { data } = JSON.parse(event.payload) as Delivery
    const mail = new MailComposer({
      ...mailOf(data),
      from,
      // A delivery of version 1.0 names no recipient, and is one mail to all of them.
      to: event.headers.recipient ?? [...to],
      messageId: `<${event.eventId}@${host}>`,
      date: new Date(data.occurred_at),
      // An absence note must not answer a machine (RFC 3834).
      headers: { 'Auto-Submitted': 'auto-generated' },
      disableFileAccess: true,
      disableUrlAccess: true,
    }).compile()
    return { envelope: mail.getEnvelope(), message: await mail.build() }
  }

  return {
    async deliver(event) {
      const mail = await compose(event)
      if (closing) return STOPPING
      const conversation = converse(server, mail, resolve)
      open.add(conversation)
      try {
        const { rejected } = await conversation.sent
        if (rejected.length > 0) onRejected(event.eventId, rejected)
        return { kind: 'accepted' }
      } catch (error) {
        const failure = error as SmtpError
        // Cut off by us: the mail server refused nothing.
        return closing && failure.responseCode === undefined ? STOPPING : verdictOn(failure)
      } finally {
        open.delete(conversation)
      }
    },

    async close() {
      closing = true
      for (const conversation of open) if (!conversation.isHandedOver()) conversation.abort()
      const stop = new AbortController()
      const answers = Promise.allSettled([...open].map(({ sent }) => sent))
      await Promise.race([answers, sleep(LAST_ANSWER_MS, undefined, { signal: stop.signal }).catch(() => {})])
      stop.abort()
      for (const conversation of open) conversation.abort()
    },
  }
}

/** Answers about the login, whichever command they answer (RFC 4954, section 6). */
const ABOUT_LOGIN = [530, 534, 535, 538]

function verdictOn({ message, code, command, responseCode }: SmtpError): DeliveryOutcome {
  const reason = message || (code ?? 'unknown')
  // Without an answer: the address can't be written in SMTP, or the message is larger than the server announced.
  if (responseCode === undefined)
    return /^(EENVELOPE|EMESSAGE)$/.test(code ?? '') ? unacceptable(reason) : refused(reason)
  const isFinal = responseCode >= 500 && !ABOUT_LOGIN.includes(responseCode) && /^(RCPT TO|DATA)$/.test(command ?? '')
  return isFinal ? unacceptable(reason) : refused(reason)
}
