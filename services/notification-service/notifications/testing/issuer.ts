import { generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TokenIssuer } from '@product-events/process'

/** An issuer of tokens on this machine: its key set over HTTP, and tokens that may read notifications. */
export async function startIssuer() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'a', alg: 'ES256', use: 'sig' }] }
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(jwks))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const settings: TokenIssuer = {
    jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    issuer: 'https://id.example/',
    audience: 'notifications',
  }
  return {
    settings,
    /** A token of that subject that expires in so many seconds. */
    token(sub: string, seconds: number): string {
      const claims = {
        iss: settings.issuer,
        aud: settings.audience,
        sub,
        scope: 'notifications:read',
        exp: Math.floor(Date.now() / 1000) + seconds,
      }
      const signed = [{ alg: 'ES256', kid: 'a' }, claims].map(base64url).join('.')
      const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' })
      return `${signed}.${signature.toString('base64url')}`
    },
    close: async (): Promise<void> => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
