import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { HttpProblem } from './problems.ts'

/**
 * Headers that may occur once. Node keeps the first of two for some, and joins the two values for others; whatever
 * stands in front of the service may decide otherwise, and then checks another request than the one that is answered.
 */
const SINGLETONS = new Set(
  [
    ['host', 'authorization', 'content-type', 'content-length', 'transfer-encoding', 'expect', 'x-request-id'],
    ['idempotency-key', 'last-event-id', 'if-modified-since', 'if-unmodified-since', 'max-forwards'],
    ['proxy-authorization', 'from', 'referer', 'user-agent', 'date', 'origin'],
  ].flat(),
)
/** A host and port as RFC 3986 spells them, or nothing. */
const HOST = /^[\w.~!$&'()*+,;=:%[\]-]*$/
/** Methods that carry no body of ours: what describes one is ignored, as the body is. */
const WITHOUT_BODY = ['GET', 'HEAD']

/**
 * Refuses requests that two HTTP implementations could understand differently, and encodings that it does not decode.
 */
export function checkRequestShape(app: FastifyInstance): void {
  app.addHook('onRequest', ({ raw }, _, done) => {
    done(shapeProblem(raw))
  })
  // After all other hooks have let the request pass: its caller waits for this word before it sends the body.
  app.addHook('preParsing', ({ raw }, reply, payload, done) => {
    if (raw.headers.expect !== undefined) reply.raw.writeContinue()
    done(null, payload)
  })
}

/** Why a request can't be taken as it is; undefined when it can. */
export function shapeProblem({ headers, rawHeaders, httpVersion, method = '' }: IncomingMessage) {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return malformed('This server supports HTTP/1.1.')
  const repeated = repeatedHeader(rawHeaders)
  if (repeated !== undefined) return malformed(`The header ${repeated} may occur only once.`)
  const { host, expect, 'transfer-encoding': transfer, 'content-encoding': content } = headers
  if (host === undefined && httpVersion !== '1.0') return malformed('The header Host is required.')
  if (host !== undefined && !HOST.test(host)) return malformed('The header Host names no host.')
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    return malformed('Of all expectations only "Expect: 100-continue" is supported.')
  if (transfer !== undefined && (transfer.toLowerCase() !== 'chunked' || httpVersion === '1.0'))
    return malformed('Of all transfer codings only "chunked" is supported, and only in HTTP/1.1.')
  if (content !== undefined && content.toLowerCase() !== 'identity' && !WITHOUT_BODY.includes(method))
    return new HttpProblem('unsupported-media-type', 'The body must not be compressed: send no Content-Encoding.')
  return undefined
}

function repeatedHeader(rawHeaders: string[]): string | undefined {
  const seen = new Set<string>()
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase()
    if (!SINGLETONS.has(name)) continue
    if (seen.has(name)) return rawHeaders[index]
    seen.add(name)
  }
  return undefined
}

function malformed(detail: string): HttpProblem {
  return new HttpProblem('malformed-request', detail)
}

/**
 * The path of `http://host/path`, a form in which proxies ask, and which every server must understand (RFC 9112,
 * 3.2.2).
 */
export function originForm(url: string): string {
  if (url.startsWith('/') || !/^https?:\/\//i.test(url)) return url
  const path = url.indexOf('/', url.indexOf('//') + 2)
  const query = url.indexOf('?')
  if (path !== -1 && (query === -1 || path < query)) return url.slice(path)
  return query === -1 ? '/' : `/${url.slice(query)}`
}
