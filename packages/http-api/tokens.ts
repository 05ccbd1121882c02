import { createHash } from 'node:crypto'
import { errors, type JWTPayload, jwtVerify } from 'jose'
import type { OutageEvents } from '@product-events/outages'
import type { TokenIssuer } from '@product-events/process'
import { createIssuerKeys, KeysUnavailable } from './issuer-keys.ts'

/** Signatures by a private key that only the issuer has. With HS256 the public key would sign. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
/** The clocks of two servers. */
const CLOCK_TOLERANCE_SECONDS = 5

/** The rights of a bearer token, or why it has none. */
export type TokenCheck =
  /**
   * `caller` only tells one subject from another; `subject` is the token's `sub`, for a record of actions.
   */
  | { kind: 'valid'; scopes: string[]; caller: string; subject: string; expiresAt: number }
  | { kind: 'invalid'; reason: string }
  /** Nothing can be said: the issuer's keys can't be had just now. */
  | { kind: 'no-keys' }

/** Checks tokens of `issuer`. `keysEvents` learns when its keys can't be had, and when they can again. */
export function createTokenCheck(
  { jwksUrl, issuer, audience }: TokenIssuer,
  keysEvents: OutageEvents,
): (token: string) => Promise<TokenCheck> {
  const keys = createIssuerKeys(jwksUrl, keysEvents)
  const options = {
    issuer,
    audience,
    algorithms: ALGORITHMS,
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    // Without them a token could be valid for ever, and callers could not be told apart.
    requiredClaims: ['exp', 'sub'],
  }
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, keys, options)
      // Two callers without a name would be one to us, and share their Idempotency-Keys.
      if (typeof payload.sub !== 'string' || payload.sub.trim() === '')
        return { kind: 'invalid', reason: 'The claim sub of the token is not acceptable' }
      const [caller, expiresAt] = [callerOf(payload), (payload.exp ?? 0) * 1000]
      return { kind: 'valid', scopes: scopesOf(payload), caller, subject: payload.sub, expiresAt }
    } catch (error) {
      if (error instanceof KeysUnavailable) return { kind: 'no-keys' }
      return { kind: 'invalid', reason: reasonOf(error) }
    }
  }
}

/** OAuth's `scope` is one string (RFC 8693); some issuers give a list called `scp`. */
function scopesOf({ scope, scp }: JWTPayload): string[] {
  if (typeof scope === 'string') return scope.split(' ')
  if (Array.isArray(scp)) return scp.filter((name) => typeof name === 'string')
  return []
}

/** Hashed: a subject may be of any length, and may be a mail address. */
function callerOf({ iss, sub }: JWTPayload): string {
  return createHash('sha256')
    .update(JSON.stringify([iss, sub]))
    .digest('base64url')
}

/** In our own words: a library's message may repeat parts of the token, and goes into a header. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired'
  if (error instanceof errors.JWTClaimValidationFailed) return `The claim ${error.claim} of the token is not acceptable`
  if (error instanceof errors.JOSEAlgNotAllowed) return 'The token is signed with an algorithm that is not allowed'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'The signature of the token is not valid'
  if (error instanceof errors.JWKSNoMatchingKey) return 'The token is signed with a key that its issuer does not have'
  return 'The token is no JSON Web Token that can be checked'
}
