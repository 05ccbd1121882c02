import { connect as connectSocket } from 'node:net'
import { afterEach, expect, inject, test } from 'vitest'
import type { SmtpServer } from './config.ts'
import { newProducts, testChannels } from './testing/channels.ts'
import { mailServer, type MailServerOptions } from './testing/receivers.ts'
import { rawReceiver } from './testing/raw-receiver.ts'

const patiently = { timeout: 25_000, interval: 20 }

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

const [ONE, TWO] = ['one@example.com', 'two@example.com']

async function channelsTo(server: SmtpServer, to = [ONE, TWO]) {
  const t = await testChannels(inject('postgresUrl'), { email: { server, from: 'Shop <shop@example.com>', to } })
  opened.push(t.close)
  return t
}

async function setUp(options: MailServerOptions = {}, to?: string[]) {
  const server = await mailServer(options)
  opened.push(server.close)
  return { t: await channelsTo(server.settings, to), ...server }
}

/** Quoted-printable, decoded. */
const decoded = (source: string) =>
  Buffer.from(
    source
      .replaceAll(/=\r?\n/g, '')
      .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1',
  ).toString()
const messageIdOf = ({ source }: { source: string }) => /Message-ID: <([^@]+)/.exec(source)?.[1]

test('a notification is mailed to each recipient, as text and as HTML in which nothing of a product is markup', async () => {
  const { t, mails } = await setUp()
  const [eventId] = await t.notify(newProducts(1), [1], `<b onclick='x'>Mug & "Co"</b>`)
  await expect.poll(t.statuses, patiently).toEqual({ [`${ONE} processed`]: 1, [`${TWO} processed`]: 1 })
  expect(new Set(mails.map(({ to }) => to.join()))).toEqual(new Set([ONE, TWO]))
  const source = decoded(mails[0]?.source ?? '')
  expect(source).toContain(`Message-ID: <${eventId}@example.com>`)
  expect(source).toContain('Subject: Product updated')
  expect(source).toContain('Auto-Submitted: auto-generated')
  const [text = '', html = ''] = source.split('text/html')
  expect(text).toContain(`"<b onclick='x'>Mug & "Co"</b>"`)
  expect(html).toContain('&lt;b onclick=&#39;x&#39;&gt;Mug &amp; &quot;Co&quot;&lt;/b&gt;')
  expect(html).not.toContain('<b ')
})

test('a name with controls adds no line and no invisible character to a mail', async () => {
  const { t, mails } = await setUp({}, [ONE])
  const name = 'Mug\r\nProduct: forged\u001b]52;c;eA==\u0007\u202egnp\u2028\u0085\u200b\u2066'
  await t.notify(newProducts(1), [1], name)
  await expect.poll(() => mails.length, patiently).toBe(1)
  const source = decoded(mails[0]?.source ?? '')
  expect(source).not.toMatch(/^Product: forged/m)
  expect(source).not.toMatch(/(?![\r\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
  expect(source).toContain(String.raw`Mug\r\nProduct: forged\u{1b}]52;c;eA==\u{7}\u{202e}gnp`)
})

test('a mail that was refused for now is sent again with the same Message-ID, in order for each product', async () => {
  let refusals = 0
  const { t, mails } = await setUp({ refuse: (what) => (what === 'DATA' && refusals++ < 1 ? 451 : undefined) }, [ONE])
  const ids = await t.notify(newProducts(1), [1, 2, 3])
  await expect.poll(t.statuses, patiently).toEqual({ [`${ONE} processed`]: 3 })
  expect(mails.map(messageIdOf)).toEqual(ids)
  expect(t.logged('endpoint refuses')).toMatchObject([{ endpoint: 'email:smtp' }])
})

test('a recipient that is greylisted gets its mail later, and the other one gets its mail once', async () => {
  let greylisted = 2
  const { t, mails } = await setUp({ refuse: (what) => (what === TWO && greylisted-- > 0 ? 450 : undefined) })
  await t.notify(newProducts(1))
  await expect.poll(t.statuses, patiently).toEqual({ [`${ONE} processed`]: 1, [`${TWO} processed`]: 1 })
  expect(mails.map(({ to }) => to)).toEqual([[ONE], [TWO]])
  expect(greylisted).toBeLessThan(0)
})

test('a recipient, or a mail, that the server refuses for good is abandoned at once, and no other', async () => {
  const { t, mails } = await setUp({ refuse: (what) => (what === TWO ? 550 : undefined) })
  await t.notify(newProducts(1), [1, 2])
  await expect.poll(t.statuses, patiently).toEqual({ [`${ONE} processed`]: 2, [`${TWO} dead`]: 2 })
  expect(mails.map(({ to }) => to)).toEqual([[ONE], [ONE]])
  expect(t.logged('delivery abandoned')).toHaveLength(2)
})

test('a mail server that answers late, after every timeout of the relay, gets each mail once', async () => {
  const answers = Promise.withResolvers<void>()
  const { t, mails } = await setUp({ beforeAnswer: () => answers.promise })
  await t.notify(newProducts(1))
  await expect.poll(() => mails.length, patiently).toBe(2)
  // It was postponed, and handed over again, to the same try.
  await expect
    .poll(async () => await t.metric('channel_deliveries_total'), patiently)
    .toContainEqual(expect.stringMatching(/outcome="postponed"} ([4-9]|\d\d)/))
  answers.resolve()
  await expect.poll(t.statuses, patiently).toEqual({ [`${ONE} processed`]: 1, [`${TWO} processed`]: 1 })
  expect(mails).toHaveLength(2)
})

test('a mail that is accepted while the process stops is not sent again by the next one', async () => {
  const answers = Promise.withResolvers<void>()
  const { t, mails } = await setUp({ beforeAnswer: () => answers.promise }, [ONE])
  await t.notify(newProducts(1))
  await expect.poll(t.statuses, patiently).toEqual({ [`${ONE} failed`]: 1 })
  const stopping = t.stop()
  answers.resolve()
  await stopping
  expect(await t.statuses()).toEqual({ [`${ONE} processed`]: 1 })
  expect(mails).toHaveLength(1)
})

test.each([
  ['says nothing', () => {}],
  ['greets and says nothing more', (greet: () => void) => greet()],
])('channels stop within a bound while a mail server %s', async (_, act) => {
  const server = await rawReceiver(
    () => {},
    (socket) => act(() => socket.write('220 mail.example ESMTP\r\n')),
  )
  opened.push(server.close)
  const t = await channelsTo({ host: '127.0.0.1', port: server.port, secure: false, requireTls: false })
  await t.notify(newProducts(20))
  await expect.poll(server.connections, patiently).toBe(4)
  const from = performance.now()
  await t.stop()
  expect(performance.now() - from).toBeLessThan(9_000)
  await expect.poll(server.connections, patiently).toBe(0)
})

test('a mail server that is away costs no mail', async () => {
  const away = await mailServer()
  await away.close()
  const t = await channelsTo(away.settings, [ONE])
  await t.notify(newProducts(1))
  await expect.poll(t.statuses, patiently).toEqual({ [`${ONE} failed`]: 1 })
  expect((await t.errors())[0]).toMatch(/ECONNREFUSED/)
})

test('a password is not sent to a server that offers no STARTTLS, and the mail waits', async () => {
  const server = await mailServer({ login: 'clear' })
  opened.push(server.close)
  const heard = await eavesdrop(server.port)
  opened.push(heard.close)
  const auth = { user: 'shop', pass: 'secret-of-the-shop' }
  const t = await channelsTo({ ...server.settings, port: heard.port, requireTls: true, auth }, [ONE])
  await t.notify(newProducts(1))
  await expect.poll(t.statuses, patiently).toEqual({ [`${ONE} failed`]: 1 })
  expect((await t.errors())[0]).toMatch(/STARTTLS/)
  expect(heard.text()).toContain('EHLO')
  expect(heard.text()).not.toMatch(/AUTH [PLC]|Message-ID/)
  expect(server.logins).toEqual([])
})

test('a login that the server asks for is given, and a refused one is retried', async () => {
  const server = await mailServer({ login: 'clear' })
  opened.push(server.close)
  const t = await channelsTo({ ...server.settings, auth: { user: 'shop', pass: 'secret' } }, [ONE])
  await t.notify(newProducts(1))
  await expect.poll(t.statuses, patiently).toEqual({ [`${ONE} processed`]: 1 })
  expect(server.logins).toEqual([{ user: 'shop', secure: false }])
})

/** A way to `port` on which everything that the client sends is heard. */
async function eavesdrop(port: number) {
  let text = ''
  const way = await rawReceiver(
    () => {},
    (socket) => {
      const onward = connectSocket(port, '127.0.0.1')
      onward.on('error', () => {})
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
      socket.pipe(onward).pipe(socket)
    },
  )
  return { ...way, text: () => text }
}
