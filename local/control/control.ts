import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Fault, faults, type Stage } from './faults.ts'
import { type Change, createTraffic } from './traffic.ts'

const MOST_BODY_BYTES = 1_000
const MOST_RATE = 50
/** Lines that the page shows. */
const LOG_LINES = 12

export interface Control {
  /** With the token as its password: for the console and `npm run demo`. */
  url: string
  stop(): Promise<void>
}

/** Plays faults and traffic for whoever has the token. Listens on loopback only. */
export async function startControl(stage: Stage): Promise<Control> {
  const token = randomBytes(24).toString('base64url')
  const stopping = new AbortController()
  const traffic = createTraffic(stage.productsUrl)
  const running = traffic.run(stopping.signal)
  const playing = new Map<string, { until: number; done: Promise<void> }>()
  const log: { at: string; text: string }[] = []

  function note(text: string): void {
    log.unshift({ at: new Date().toISOString(), text })
    log.length = Math.min(log.length, LOG_LINES)
  }

  function play(fault: Fault): void {
    if (playing.has(fault.name)) return
    note(`${fault.title}: begins`)
    const done = fault
      .play(stage, fault.seconds, stopping.signal)
      .then(() => note(`${fault.title}: over`))
      .catch((error: Error) => note(`${fault.title}: failed, ${error.message}`))
      .finally(() => playing.delete(fault.name))
    playing.set(fault.name, { until: Date.now() + fault.seconds * 1000, done })
  }

  /** Undefined when it is understood; else what is wrong with it. */
  async function order(body: Record<string, unknown>): Promise<string | undefined> {
    const { fault, traffic: rate, product } = body
    if (fault !== undefined) {
      const named = faults.find(({ name }) => name === fault)
      if (!named) return `fault must be one of ${faults.map(({ name }) => name).join(', ')}`
      play(named)
    }
    if (rate !== undefined) {
      if (typeof rate !== 'number' || !(rate >= 0 && rate <= MOST_RATE)) return `traffic must be 0 to ${MOST_RATE}`
      traffic.setRate(rate)
      note(rate === 0 ? 'Traffic: stopped' : `Traffic: ${rate} a second`)
    }
    if (product === 'create' || product === 'update' || product === 'delete') {
      await traffic
        .change(product satisfies Change)
        .then(() => note(`A product: ${product}`))
        .catch((error: Error) => note(`A product: ${product} failed, ${error.message}`))
    }
    return undefined
  }

  const state = () => ({
    traffic: traffic.rate(),
    faults: faults.map(({ name, title, text }) => {
      const until = playing.get(name)?.until
      return { name, title, text, seconds_left: until === undefined ? null : Math.max(0, (until - Date.now()) / 1000) }
    }),
    log,
  })

  const server = createServer((request, response) => {
    void answer(request).then(([status, body]) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(body),
    )
  })
  async function answer(request: IncomingMessage): Promise<[number, string]> {
    if (!isToken(request.headers.authorization, token)) return [401, 'the token is missing or wrong']
    if (request.method === 'POST') {
      const body = await readBody(request)
      const refusal = body === undefined ? 'a JSON object was expected' : await order(body)
      if (refusal !== undefined) return [400, refusal]
    }
    return [200, JSON.stringify(state())]
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://:${token}@127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      stopping.abort()
      server.close()
      server.closeAllConnections()
      await Promise.all([running, ...[...playing.values()].map(({ done }) => done)])
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
