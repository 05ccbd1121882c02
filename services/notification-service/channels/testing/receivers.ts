import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { SMTPServer } from 'smtp-server'
import type { SmtpServer } from '../config.ts'

export interface Received {
  headers: IncomingHttpHeaders
  body: string
  /** The delivery's `data`. */
  data: { event_id: string; product_id: string; sequence: string; title: string }
}

export type WebhookServer = Awaited<ReturnType<typeof webhookServer>>

export function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}

/** A real HTTP server; `answer` decides on each request (204 unless it does) and may keep it waiting. */
export async function webhookServer(
  answer: (request: Received, response: ServerResponse) => number | undefined = () => 204,
  port = 0,
) {
  const received: Received[] = []
  const accepted: Received[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const one: Received = {
        headers: request.headers,
        body,
        data: (JSON.parse(body || '{}') as { data: Received['data'] }).data,
      }
      received.push(one)
      const status = answer(one, response)
      if (status === undefined) return
      if (status < 300) accepted.push(one)
      response.writeHead(status).end()
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    received,
    accepted,
    port: (server.address() as AddressInfo).port,
    close: async (): Promise<void> => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

export interface MailServerOptions {
  /** A response code for a recipient, or for the message itself (`DATA`). */
  refuse?: (what: string) => number | undefined
  /** Resolves when the server answers the message. */
  beforeAnswer?: () => Promise<void>
  /** Offers STARTTLS and asks for a login, or asks for a login without offering it. */
  login?: 'tls' | 'clear'
}

/** A real SMTP server, which keeps the mails that it has read. */
export async function mailServer({ refuse = () => undefined, beforeAnswer, login }: MailServerOptions = {}) {
  const mails: { from: string; to: string[]; source: string }[] = []
  const logins: { user: string | undefined; secure: boolean }[] = []
  const refusal = (what: string) => {
    const responseCode = refuse(what)
    return responseCode === undefined ? null : Object.assign(new Error(`no to ${what}`), { responseCode })
  }
  const server = new SMTPServer({
    authOptional: true,
    allowInsecureAuth: login === 'clear',
    disabledCommands: login === 'tls' ? [] : ['STARTTLS'],
    logger: false,
    onAuth({ username }, session, callback) {
      logins.push({ user: username, secure: session.secure })
      callback(null, { user: username ?? '' })
    },
    onRcptTo: ({ address }, _session, callback) => callback(refusal(address)),
    onData(stream, { envelope: { mailFrom, rcptTo } }, callback) {
      async function read(): Promise<void> {
        const source = await text(stream)
        const no = refusal('DATA')
        if (!no) mails.push({ from: mailFrom ? mailFrom.address : '', to: rcptTo.map((to) => to.address), source })
        await beforeAnswer?.()
        callback(no)
      }
      void read()
    },
  })
  // A client that stops ends its connection.
  server.on('error', () => {})
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  return {
    mails,
    logins,
    port,
    settings: { host: '127.0.0.1', port, secure: false, requireTls: false } satisfies SmtpServer,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}
