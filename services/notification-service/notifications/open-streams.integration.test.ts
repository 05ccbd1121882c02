import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, test, vi } from 'vitest'
import { MOST_STREAMS, MOST_STREAMS_OF_CALLER, streamCaller } from './open-streams.ts'
import { soon, streamTests } from './testing/stream-api.ts'

const { opened, startApi } = streamTests()

/** Opens streams from an address of this machine, and waits until each has begun. */
async function openFrom(url: string, localAddress: string, count: number): Promise<IncomingMessage[]> {
  const answers = await Promise.all(
    Array.from({ length: count }, async () => {
      const asked = get(`${url}/notifications/stream`, {
        localAddress,
        agent: false,
        headers: { accept: 'text/event-stream' },
      })
      const [answer] = (await once(asked, 'response')) as [IncomingMessage]
      await once(answer, 'data')
      return answer
    }),
  )
  opened.push(() => answers.forEach((answer) => answer.destroy()))
  return answers
}

// A thousand connections take their time on a busy machine.
test(
  'one caller can not take all streams, and one more than a process keeps is told to come again',
  { timeout: 120_000 },
  async () => {
    const { url } = await startApi()
    const askFrom = (localAddress: string, headers: Record<string, string>) =>
      new Promise<{ status: number | undefined; retryAfter: string | undefined; body: string }>((resolve, reject) => {
        get(`${url}/notifications/stream`, { localAddress, agent: false, headers }, (answer) => {
          text(answer).then(
            (body) => resolve({ status: answer.statusCode, retryAfter: answer.headers['retry-after'], body }),
            reject,
          )
        }).on('error', reject)
      })
    const first = await openFrom(url, '127.0.0.2', MOST_STREAMS_OF_CALLER)
    const refused = await askFrom('127.0.0.2', { accept: 'text/event-stream' })
    expect(refused).toMatchObject({
      status: 200,
      body: expect.stringMatching(/^retry: \d{4,5}\n: [^\n]+ caller [^\n]+\n\n$/),
    })
    expect(await askFrom('127.0.0.2', { accept: '*/*' })).toMatchObject({ status: 503, retryAfter: expect.anything() })
    for (let caller = 1; caller < MOST_STREAMS / MOST_STREAMS_OF_CALLER; caller++)
      await openFrom(url, `127.0.0.${caller + 2}`, MOST_STREAMS_OF_CALLER)
    const full = await askFrom('127.0.0.99', { accept: 'text/event-stream' })
    expect(full).toMatchObject({ status: 200, body: expect.stringContaining('this process can keep') })
    first[0]?.destroy()
    await vi.waitFor(() => openFrom(url, '127.0.0.99', 1), soon)
  },
)

test.each([
  ['a token', { caller: 'hash', ip: '10.0.0.1' }, 'hash'],
  ['IPv4', { caller: '', ip: '10.0.0.1' }, '10.0.0.1'],
  ['IPv4 in IPv6', { caller: '', ip: '::ffff:10.0.0.1' }, '::ffff:10.0.0.1'],
  ['IPv6', { caller: '', ip: '2001:db8:1:2:3:4:5:6' }, '2001:db8:1:2'],
  ['IPv6 with zeros', { caller: '', ip: '2001:db8::6' }, '2001:db8:0:0'],
])('the caller of %s', (_, request, caller) => {
  expect(streamCaller(request)).toBe(caller)
})
