import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import type { TokenCheck } from './tokens.ts'

/**
 * An application load balancer that signs users in by OpenID Connect and passes their claims on, signed by itself:
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
 */
export interface AlbIssuer {
  /** Only its signature counts: every load balancer of a region has its keys at the same place. */
  albArn: string
  /** The issuer whose users it signs in. */
  issuer: string
  /** Where the public keys are, if not at AWS. */
  keysUrl?: string
}

export const ALB_HEADER = 'x-amzn-oidc-data'

const KEY_TIMEOUT_MS = 3_000
/** Load balancers rotate their keys; a key id is never used for another key. */
const MOST_KEYS = 100
/** Forged tokens with invented key ids must not become a flood of requests to AWS. A rotation brings one new id. */
const MOST_FETCHES_A_SECOND = 5
const KEY_ID = /^[\w-]{1,64}$/
const CLOCK_TOLERANCE_SECONDS = 5

type Claims = Record<string, unknown>

/** Fetches public keys by their ids, each once. Resolves with undefined for an id that names no key. */
function createKeys(keysUrl: string): (kid: string) => Promise<KeyObject | undefined> {
  const keys = new Map<string, Promise<KeyObject | undefined>>()
  const asked: number[] = []

  async function fetchKey(kid: string): Promise<KeyObject | undefined> {
    const response = await fetch(`${keysUrl}/${kid}`, { signal: AbortSignal.timeout(KEY_TIMEOUT_MS) })
    if (response.status === 403 || response.status === 404) return undefined
    if (!response.ok) throw new Error(`${keysUrl} answers ${response.status}`)
    return createPublicKey(await response.text())
  }

  return (kid) => {
    const known = keys.get(kid)
    if (known) return known
    while (asked[0] !== undefined && asked[0] < performance.now() - 1_000) asked.shift()
    if (asked.length >= MOST_FETCHES_A_SECOND)
      return Promise.reject(new Error(`more than ${MOST_FETCHES_A_SECOND} unknown key ids within a second`))
    asked.push(performance.now())
    const key = fetchKey(kid)
    if (keys.size >= MOST_KEYS) keys.clear()
    keys.set(kid, key)
    // A failure is not kept: the next token with this id asks again.
    key.catch(() => keys.delete(kid))
    return key
  }
}

/** Checks the header by the load balancer's own key. Groups and scopes in the claims both count as scopes. */
export function createAlbCheck(issuer: AlbIssuer): (token: string) => Promise<TokenCheck> {
  const { albArn, keysUrl = `https://public-keys.auth.elb.${albArn.split(':')[3]}.amazonaws.com` } = issuer
  const keyOf = createKeys(keysUrl)

  return async (token) => {
    const [head = '', body = '', signature = '', ...more] = token.split('.')
    const header = decode(head)
    const claims = decode(body)
    if (!header || !claims || more.length > 0) return invalid('The load balancer’s token is malformed')
    // Before a key is fetched: a caller of this port must not make it fetch keys of the caller's choice.
    if (header.alg !== 'ES256' || header.signer !== issuer.albArn)
      return invalid('The token is not signed by the expected load balancer')
    if (typeof header.kid !== 'string' || !KEY_ID.test(header.kid)) return invalid('The key id is malformed')
    if (header.iss !== issuer.issuer) return invalid('The token is of another issuer')
    let key: KeyObject | undefined
    try {
      key = await keyOf(header.kid)
    } catch (error) {
      return { kind: 'no-keys', error: error as Error }
    }
    if (!key) return invalid('The load balancer has no key with this id')
    const signed = Buffer.from(`${head}.${body}`)
    const isValid = verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))
    if (!isValid) return invalid('The signature of the token is not valid')
    const expires = Number(header.exp ?? claims.exp)
    if (!(expires + CLOCK_TOLERANCE_SECONDS > Date.now() / 1000)) return invalid('The token has expired')
    const { sub } = claims
    if (typeof sub !== 'string' || sub === '') return invalid('The token names no subject')
    const caller = createHash('sha256')
      .update(JSON.stringify([issuer.issuer, sub]))
      .digest('base64url')
    return { kind: 'valid', scopes: scopesOf(claims), caller, subject: sub, expiresAt: expires * 1000 }
  }
}

function invalid(reason: string): TokenCheck {
  return { kind: 'invalid', reason }
}

/** The load balancer pads its base64; Node reads it with and without. */
function decode(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof value === 'object' && value !== null ? (value as Claims) : undefined
  } catch {
    return undefined
  }
}

function scopesOf(claims: Claims): string[] {
  return ['scope', 'scp', 'groups', 'cognito:groups'].flatMap((name) => {
    const value = claims[name]
    if (typeof value === 'string') return value.split(/[\s,]+/)
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
  })
}
