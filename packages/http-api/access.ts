import type { OutageEvents } from '@product-events/outages'
import type { TokenIssuer } from '@product-events/process'
import type { Logger } from '@product-events/telemetry'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { HttpProblem } from './problems.ts'
import { ALB_HEADER, type AlbIssuer, createAlbCheck } from './alb-tokens.ts'
import { createTokenCheck } from './tokens.ts'

/** Which scope a token needs: one to look at things, one to change them. */
export interface Scopes {
  read: string
  write: string
}

/** RFC 6750 calls this b64token; a JWT uses less of it. */
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i

declare module 'fastify' {
  interface FastifyContextConfig {
    /** This route requires no token: it describes the API and shows no data. */
    open?: true
  }
  interface FastifyRequest {
    /** Who calls: a hash of the token's issuer and subject; empty where no token is required. */
    caller: string
    /** When the caller's token expires, in milliseconds since 1970; undefined where no token is required. */
    tokenExpiresAt: number | undefined
    /** The `sub` of the token; empty where no token is required. */
    subject: string
    /** The scopes of the token; undefined where no token is required. */
    scopes: readonly string[] | undefined
  }
}

export function scopeFor(method: string, { read, write }: Scopes): string {
  return method === 'GET' || method === 'HEAD' ? read : write
}

/**
 * Lets a request pass only with a token of `issuer` that has the scope for its method. Routes may be marked as open.
 * Behind an application load balancer that signs users in, its signed header is the token.
 */
export function askForTokens(
  app: FastifyInstance,
  logger: Logger,
  issuer: TokenIssuer | AlbIssuer,
  scopes: Scopes,
): void {
  const byBalancer = 'albArn' in issuer
  const reports: OutageEvents = {
    lost: (reason) =>
      logger.error({ reason }, 'the keys of the token issuer can not be fetched; known keys stay valid'),
    back: (away_ms) => logger.info({ away_ms }, 'the keys of the token issuer can be fetched again'),
  }
  const check = byBalancer ? createAlbCheck(issuer) : createTokenCheck(issuer, reports)
  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config?.open) return
    const token = byBalancer ? balancerTokenOf(request) : tokenOf(request, reply)
    const result = await check(token)
    switch (result.kind) {
      case 'no-keys':
        throw new HttpProblem('unavailable', 'Tokens can’t be checked just now. Please try again.')
      case 'invalid':
        challenge(reply, `error="invalid_token", error_description="${result.reason}"`)
        throw new HttpProblem('unauthenticated', `${result.reason}.`)
      case 'valid': {
        request.caller = result.caller
        request.tokenExpiresAt = result.expiresAt
        request.subject = result.subject
        request.scopes = result.scopes
        const scope = scopeFor(request.method, scopes)
        if (result.scopes.includes(scope)) return
        challenge(reply, `error="insufficient_scope", scope="${scope}"`)
        throw new HttpProblem('forbidden', `This needs a token with the scope ${scope}.`)
      }
    }
  })
}

function tokenOf({ headers: { authorization } }: FastifyRequest, reply: FastifyReply): string {
  const token = BEARER.exec(authorization ?? '')?.[1]
  if (token !== undefined) return token
  // Without an error where no token came at all: RFC 6750, section 3.1.
  challenge(reply, authorization === undefined ? '' : 'error="invalid_request"')
  throw new HttpProblem('unauthenticated', 'This needs a header like "Authorization: Bearer <token>".')
}

function balancerTokenOf({ headers }: FastifyRequest): string {
  const token = headers[ALB_HEADER]
  if (typeof token === 'string' && token !== '') return token
  throw new HttpProblem('unauthenticated', `The load balancer must sign callers in: ${ALB_HEADER} is missing.`)
}

function challenge(reply: FastifyReply, parameters: string): void {
  void reply.header('www-authenticate', parameters === '' ? 'Bearer' : `Bearer ${parameters}`)
}
