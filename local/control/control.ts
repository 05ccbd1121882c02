import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Stage } from './faults.ts'
import { createPlayer } from './player.ts'

const MOST_BODY_BYTES = 1_000

export interface Control {
  /** With the token as its password: for the console and `npm run demo`. */
  url: string
  stop(): Promise<void>
}

/** Plays faults and traffic for a caller with the token. Listens on loopback only. */
export async function startControl(stage: Stage): Promise<Control> {
  const token = randomBytes(24).toString('base64url')
  const player = createPlayer(stage)

  async function answer(request: IncomingMessage): Promise<[number, string]> {
    if (!isToken(request.headers.authorization, token)) return [401, 'the token is missing or wrong']
    if (request.method === 'POST') {
      const body = await readBody(request)
      const refusal = body === undefined ? 'a JSON object was expected' : await player.order(body)
      if (refusal !== undefined) return [400, refusal]
    }
    return [200, JSON.stringify(player.state())]
  }

  const server = createServer((request, response) => {
    void answer(request).then(([status, body]) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(body),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://:${token}@127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.close()
      server.closeAllConnections()
      await player.stop()
    },
  }
}

function isToken(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header ?? '')
  const expected = Buffer.from(`Bearer ${token}`)
  return given.length === expected.length && timingSafeEqual(given, expected)
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown> | undefined> {
  let text = ''
  for await (const chunk of request) {
    text += String(chunk)
    if (text.length > MOST_BODY_BYTES) return undefined
  }
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
