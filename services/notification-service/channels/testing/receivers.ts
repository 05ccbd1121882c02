import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

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

/** A real SMTP server; `refuse` may name a response code for a recipient, or for the mail itself (`DATA`). */
export async function mailServer(refuse: (what: string) => number | undefined = () => undefined) {
  const mails: { from: string; to: string[]; source: string }[] = []
  const refusal = (what: string) => {
    const responseCode = refuse(what)
    return responseCode === undefined ? null : Object.assign(new Error(`no to ${what}`), { responseCode })
  }
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onRcptTo: ({ address }, _session, callback) => callback(refusal(address)),
    onData(stream, session, callback) {
      let source = ''
      stream.on('data', (chunk: Buffer) => (source += chunk.toString()))
      stream.on('end', () => {
        const no = refusal('DATA')
        const { mailFrom, rcptTo } = session.envelope
        if (!no) mails.push({ from: mailFrom ? mailFrom.address : '', to: rcptTo.map((to) => to.address), source })
        callback(no)
      })
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  return {
    mails,
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}
