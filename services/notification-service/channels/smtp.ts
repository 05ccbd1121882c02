import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import { lookupBy } from './address-guard.ts'
import type { SmtpServer } from './config.ts'
import type { Resolve } from './resolve.ts'

/** Until the message is handed over a try can be cut off without harm: the server has no mail yet. */
const HAND_OVER_TIMEOUT_MS = 60_000
/**
 * From the end of the message to the server's answer: what RFC 5321, 4.5.3.2.6, asks for. A server that is given up
 * sooner has often accepted the mail, and gets it again.
 */
const ANSWER_TIMEOUT_MS = 10 * 60_000
/** The longest conversation. */
export const LONGEST_CONVERSATION_MS = HAND_OVER_TIMEOUT_MS + ANSWER_TIMEOUT_MS

export interface Conversation {
  /** Resolves when the server has accepted the message for at least one recipient. Rejects with an `SmtpError`. */
  sent: Promise<{ rejected: string[] }>
  /** Whether the server has the whole message, so that it may accept it whatever happens here. */
  isHandedOver(): boolean
  /** Ends it at once. */
  abort(): void
}

export interface Mail {
  envelope: { from: string | false; to: string[] }
  message: Buffer
}

/** nodemailer's errors: `command` is what the server refused, `responseCode` its answer. */
export type SmtpError = Error & { code?: string; command?: string; responseCode?: number }

/** Sends one message over a connection of its own. A password is sent over TLS only, or to this machine. */
export function converse(server: SmtpServer, { envelope, message }: Mail, resolve: Resolve): Conversation {
  const stop = new AbortController()
  let handedOver = false
  let timer: NodeJS.Timeout | undefined
  const endAfter = (ms: number, what: string) => {
    clearTimeout(timer)
    timer = setTimeout(() => stop.abort(new Error(what)), ms)
  }

  async function send(): Promise<{ rejected: string[] }> {
    endAfter(HAND_OVER_TIMEOUT_MS, `the mail server did not take the message within ${HAND_OVER_TIMEOUT_MS / 1000} s`)
    const socket = connect({ host: server.host, port: server.port, lookup: lookupBy(resolve, { publicOnly: false }) })
    stop.signal.addEventListener('abort', () => socket.destroy())
    try {
      const content = Readable.from([message]).once('end', () => {
        handedOver = true
        endAfter(ANSWER_TIMEOUT_MS, `the mail server did not answer the message within ${ANSWER_TIMEOUT_MS / 1000} s`)
      })
      return await Promise.race([talk(server, socket, { envelope, content }), aborted(stop.signal)])
    } finally {
      clearTimeout(timer)
      socket.destroy()
    }
  }

  return { sent: send(), isHandedOver: () => handedOver, abort: () => stop.abort(new Error('the process stops')) }
}

interface Content {
  envelope: Mail['envelope']
  content: Readable
}

async function talk(
  server: SmtpServer,
  socket: Socket,
  { envelope, content }: Content,
): Promise<{ rejected: string[] }> {
  await once(socket, 'connect')
  const connection = new SMTPConnection({
    connection: socket,
    host: server.host,
    secure: server.secure,
    requireTLS: server.requireTls,
    // The two bounds above are those of the whole conversation.
    greetingTimeout: HAND_OVER_TIMEOUT_MS,
    socketTimeout: ANSWER_TIMEOUT_MS,
  })
  const { promise, resolve, reject } = Promise.withResolvers<{ rejected: string[] }>()
  connection.on('error', reject)
  connection.once('end', () => reject(new Error('the mail server closed the connection')))
  const deliver = () =>
    connection.send(envelope, content, (error, info) => (error ? reject(error) : resolve({ rejected: info.rejected })))
  connection.connect((error) => {
    if (error) return reject(error)
    if (server.auth === undefined) return deliver()
    connection.login({ ...server.auth }, (refusal) => (refusal ? reject(refusal) : deliver()))
  })
  try {
    return await promise
  } finally {
    connection.quit()
  }
}

async function aborted(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort')
  throw signal.reason
}
