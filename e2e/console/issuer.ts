import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

const ISSUER = 'https://id.example/'
const AUDIENCE = 'console'

/** An issuer of tokens that serves its key set on loopback. */
export interface Issuer {
  /** With these a program accepts the issuer's tokens. */
  variables: Record<string, string>
  token(sub: string, scope: string): Promise<string>
  close(): void
}

export async function startIssuer(): Promise<Issuer> {
  const keys = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'a', alg: 'ES256', use: 'sig' }
  const keySet = createServer((_, response) => response.end(JSON.stringify({ keys: [jwk] }))).listen(0, '127.0.0.1')
  await once(keySet, 'listening')
  return {
    variables: {
      AUTH_JWKS_URL: `http://127.0.0.1:${(keySet.address() as AddressInfo).port}`,
      AUTH_ISSUER: ISSUER,
      AUTH_AUDIENCE: AUDIENCE,
    },
    token: (sub, scope) =>
      new SignJWT({ iss: ISSUER, sub, aud: AUDIENCE, scope })
        .setExpirationTime('1h')
        .setProtectedHeader({ alg: 'ES256', kid: 'a' })
        .sign(keys.privateKey),
    close() {
      keySet.close()
      keySet.closeAllConnections()
    },
  }
}
