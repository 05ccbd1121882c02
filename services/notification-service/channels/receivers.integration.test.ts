import type { Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { createResolve } from './resolve.ts'
import { localWebhook, newProducts, type TestChannels, testChannels } from './testing/channels.ts'
import { nameServer } from './testing/name-server.ts'
import { type RawReceiver, rawReceiver, writeForEver, writeSlowly } from './testing/raw-receiver.ts'
import { type WebhookServer, webhookServer } from './testing/receivers.ts'

const patiently = { timeout: 25_000, interval: 20 }

/** What a test opened, closed in reverse however it went. */
const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

const head = (status: string, ...headers: string[]) => [`HTTP/1.1 ${status}`, ...headers, '', ''].join('\r\n')

/** What a receiver may do to a request, and the reason that the delivery is refused for. */
const refusals: [name: string, reason: RegExp, answer: (socket: Socket) => void][] = [
  ['answers 101', /answered 101/, (s) => s.write(head('101 Switching Protocols'))],
  ['upgrades', /answered 101/, (s) => s.write(head('101 X', 'Upgrade: websocket', 'Connection: Upgrade'))],
  ['answers 100 and nothing else', /no answer within/, (s) => s.write(head('100 Continue'))],
  ['answers 102 and nothing else', /no answer within/, (s) => s.write(head('102 Processing'))],
  ['answers 103 and nothing else', /no answer within/, (s) => s.write(head('103 Early Hints', 'Link: </a>'))],
  ['sends 103 without end', /more than \d+ interim answers/, (s) => writeForEver(s, head('103 Early Hints'))],
  ['sends 100 without end', /more than \d+ interim answers/, (s) => writeForEver(s, head('100 Continue'))],
  [
    'sends headers without end',
    /HPE_HEADER_OVERFLOW/,
    (s) => (s.write('HTTP/1.1 200 OK\r\n'), writeForEver(s, 'A: b\r\n')),
  ],
  ['sends its headers slowly', /no answer within/, (s) => writeSlowly(s, head('200 OK', `A: ${'b'.repeat(500)}`))],
  ['resets the connection', /ECONNRESET/, (s) => s.resetAndDestroy()],
  ['resets in the middle of its headers', /ECONNRESET/, (s) => s.write('HTTP/1.1 20', () => s.resetAndDestroy())],
  ['ends without an answer', /closed the connection without an answer/, (s) => s.end()],
  ['ends in the middle of its headers', /closed the connection/, (s) => s.end('HTTP/1.1 200 OK\r\nContent-')],
  ['sends no HTTP', /not HTTP/, (s) => s.write('220 mail.example ESMTP\r\n')],
  ['sends bytes', /not HTTP/, (s) => s.write(Buffer.from([0x15, 3, 1, 0, 2, 2, 80]))],
  ['sends nothing', /no answer within/, () => {}],
  [
    'redirects to itself',
    /answered 302, and redirects/,
    (s) => s.write(head('302 Found', 'Location: /', 'Content-Length: 0')),
  ],
  ['answers 304', /answered 304/, (s) => s.write(head('304 Not Modified'))],
  ['answers 999', /answered 999/, (s) => s.write(head('999 Odd', 'Content-Length: 0'))],
]

const isEndless = ([name]: (typeof refusals)[number]) => name.endsWith('without end')

/** Most of them take as long as a delivery may: they do so side by side. */
describe('of many receivers', () => {
  let t: TestChannels
  let steady: WebhookServer
  const many = refusals.filter((one) => !isEndless(one))
  const receivers = new Map<string, RawReceiver>()
  const closes: (() => Promise<unknown>)[] = []
  beforeAll(async () => {
    steady = await webhookServer()
    closes.push(steady.close)
    for (const [name, , answer] of many) {
      const receiver = await rawReceiver(answer)
      receivers.set(name, receiver)
      closes.push(receiver.close)
    }
    const odd = [...receivers.values()].map(({ port }, index) => localWebhook(`odd-${index}`, port))
    t = await testChannels(inject('postgresUrl'), { webhooks: [...odd, localWebhook('steady', steady.port)] })
    closes.push(t.close)
    // More than the places of an endpoint: all of them are used, and used again.
    await t.notify(newProducts(20))
  })
  afterAll(async () => {
    for (const close of closes.toReversed()) await close()
  })

  test('one that accepts gets every delivery, whatever the others do', async () => {
    await expect.poll(() => steady.accepted.length, patiently).toBe(20)
  })

  test.each(many)('one that %s frees its place, and is refused with the reason', async (name, reason) => {
    const endpoint = `webhook:odd-${[...receivers.keys()].indexOf(name)}`
    await expect.poll(() => refused(t, endpoint, reason), patiently).toBeGreaterThan(8)
    expect(receivers.get(name)?.requests()).toBeGreaterThan(8)
  })
})

test.each(refusals.filter(isEndless))(
  'a receiver that %s frees its place, and is refused with the reason',
  async (_, reason, answer) => {
    const receiver = await rawReceiver(answer)
    const steady = await webhookServer()
    opened.push(receiver.close, steady.close)
    const webhooks = [localWebhook('odd', receiver.port), localWebhook('steady', steady.port)]
    const t = await testChannels(inject('postgresUrl'), { webhooks })
    opened.push(t.close)
    await t.notify(newProducts(20))
    await expect.poll(() => refused(t, 'webhook:odd', reason), patiently).toBeGreaterThan(8)
    expect(receiver.requests()).toBeGreaterThan(8)
    await expect.poll(() => steady.accepted.length, patiently).toBe(20)
  },
)

/** How many deliveries the endpoint refused for that reason: a busy machine may add some that took too long. */
function refused(t: TestChannels, endpoint: string, reason: RegExp): number {
  const lines = t.logged('delivery refused').filter((line) => line.endpoint === endpoint)
  return lines.filter((line) => reason.test(String(line.reason))).length
}

test.each([
  ['speaks no TLS', /SSL|EPROTO|packet/i, (socket: Socket) => void socket.write('HTTP/1.1 200 OK\r\n\r\n')],
  ['says nothing to the handshake', /no answer within/, () => {}],
  ['ends the handshake', /ECONNRESET|disconnected before secure TLS/, (socket: Socket) => void socket.end()],
])('a receiver that %s is refused with the reason', async (_, reason, greet) => {
  const receiver = await rawReceiver(() => {}, greet)
  opened.push(receiver.close)
  const url = new URL(`https://127.0.0.1:${receiver.port}/`)
  const t = await testChannels(inject('postgresUrl'), { webhooks: [{ ...localWebhook('odd', 0), url }] })
  opened.push(t.close)
  await t.notify(newProducts(1))
  await expect.poll(() => t.logged('delivery refused')[0]?.reason, patiently).toMatch(reason)
})

test('the silent name server of one endpoint delays no other endpoint', async () => {
  const names = await nameServer((name, type) => {
    if (name === 'silent.example') return 'silent'
    return name === 'erp.example' && type === 'A' ? ['127.0.0.1'] : []
  })
  const erp = await webhookServer()
  opened.push(names.close, erp.close)
  const at = (name: string, host: string) => ({
    ...localWebhook(name, 0),
    url: new URL(`http://${host}:${erp.port}/`),
  })
  const webhooks = [at('silent', 'silent.example'), at('erp', 'erp.example')]
  const allowHosts = new Set(['silent.example', 'erp.example'])
  const t = await testChannels(inject('postgresUrl'), { webhooks, allowHosts }, createResolve([names.address]))
  opened.push(t.close)
  await t.notify(newProducts(50))
  await expect.poll(() => erp.accepted.length, patiently).toBe(50)
  await expect
    .poll(() => t.logged('endpoint refuses'), patiently)
    .toMatchObject([{ endpoint: 'webhook:silent', reason: 'no name server answered for silent.example within 2 s' }])
  expect((await t.statuses())['erp processed']).toBe(50)
})

/** Odd, and accepted all the same: the verdict is in the status. */
const acceptances: [name: string, answer: (socket: Socket) => void][] = [
  ['answers 204 with a body', (s) => s.write(`${head('204 No Content')}surprise`)],
  ['answers 204 with a length', (s) => s.write(`${head('204 No Content', 'Content-Length: 8')}surprise`)],
  ['speaks HTTP/1.0', (s) => s.end('HTTP/1.0 200 OK\r\n\r\nfine')],
  [
    'sends interim answers first',
    (s) => s.write(`${head('100 Continue')}${head('103 X')}${head('200 OK', 'Content-Length: 0')}`),
  ],
  ['never ends its body', (s) => s.write(`${head('200 OK', 'Content-Length: 1000')}a`)],
  ['sends its body slowly', (s) => writeSlowly(s, 'x'.repeat(1000), head('200 OK', 'Content-Length: 1000'))],
  ['sends a body without end', (s) => (s.write(head('200 OK')), writeForEver(s, 'x'))],
  [
    'resets in the middle of its body',
    (s) => s.write(`${head('200 OK', 'Content-Length: 9')}a`, () => s.resetAndDestroy()),
  ],
  ['sends a second answer', (s) => s.write(head('200 OK', 'Content-Length: 0').repeat(2))],
  ['ends its side at once', (s) => s.end(head('202 Accepted', 'Content-Length: 0'))],
]

test.each(acceptances)('a receiver that %s has accepted, and is as fast for the next', async (_, answer) => {
  const receiver = await rawReceiver(answer)
  opened.push(receiver.close)
  const t = await testChannels(inject('postgresUrl'), { webhooks: [localWebhook('odd', receiver.port)] })
  opened.push(t.close)
  await t.notify(newProducts(40))
  await expect.poll(t.statuses, patiently).toEqual({ 'odd processed': 40 })
  expect(t.logged('delivery refused')).toEqual([])
  // A request that meets a connection which is being closed is made once more.
  expect(receiver.requests()).toBeGreaterThanOrEqual(40)
  // Accepted deliveries leave no connection busy.
  await expect.poll(receiver.connections, patiently).toBeLessThanOrEqual(8)
})

test.each(refusals.filter(([name]) => /101|without end|nothing$/.test(name)))(
  'channels stop within a bound while a receiver %s',
  async (_, _reason, answer) => {
    const receiver = await rawReceiver(answer)
    opened.push(receiver.close)
    const t = await testChannels(inject('postgresUrl'), { webhooks: [localWebhook('odd', receiver.port)] })
    await t.notify(newProducts(50))
    await expect.poll(receiver.requests, patiently).toBeGreaterThan(7)
    const from = performance.now()
    await t.close()
    // A process has ten seconds in all.
    expect(performance.now() - from).toBeLessThan(9_000)
  },
)
