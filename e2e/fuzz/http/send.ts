import { type Agent, request } from 'node:http'
import type { FuzzRequest } from './requests.ts'

/** Longer than the service lets a request or a query take. What has no answer by then hangs. */
const ANSWER_WITHIN_MS = 15_000

export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
}

/** What became of a request. `gone`: the connection ended without an answer. */
export type Outcome = { kind: 'answer'; answer: Answer } | { kind: 'gone'; reason: string } | { kind: 'hangs' }

export function send(agent: Agent, base: URL, { method, url, headers, body, cutOff }: FuzzRequest): Promise<Outcome> {
  return new Promise((resolve) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const sent = request({
      agent,
      host: base.hostname,
      port: base.port,
      method,
      path: url,
      headers: { ...headers, ...length },
    })
    const timer = setTimeout(() => {
      resolve({ kind: 'hangs' })
      sent.destroy()
    }, ANSWER_WITHIN_MS)
    sent.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer)
      resolve({ kind: 'gone', reason: error.code ?? error.message })
    })
    sent.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        clearTimeout(timer)
        const { statusCode: status = 0, headers } = response
        resolve({ kind: 'answer', answer: { status, headers, body: Buffer.concat(chunks).toString() } })
      })
    })
    if (!cutOff) {
      sent.end(body)
      return
    }
    const half = Buffer.from(body ?? '').subarray(0, Math.floor(Buffer.byteLength(body ?? '') / 2))
    sent.write(half, () => sent.destroy())
  })
}

/** The request as a command to send it again. */
export function asCurl(base: URL, { method, url, headers, body }: FuzzRequest): string {
  const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
  const fields = Object.entries(headers).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`)
  // As bytes: what is wrong may be none that a terminal shows.
  const bytes = body === undefined ? '' : Buffer.from(body).toString('base64')
  const input = bytes === '' ? '' : `echo ${bytes} | base64 -d | `
  const data = bytes === '' ? [] : ['--data-binary @-']
  return `${input}${['curl -i --path-as-is -X', method, quote(base.origin + url), ...fields, ...data].join(' ')}`
}
