import { afterEach, expect, inject, test } from 'vitest'
import { newProducts, testChannels } from './testing/channels.ts'
import { mailServer } from './testing/receivers.ts'

const patiently = { timeout: 15_000, interval: 20 }

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

async function setUp(refuse?: (what: string) => number | undefined) {
  const server = await mailServer(refuse)
  opened.push(server.close)
  const email = { smtpUrl: server.url, from: 'Shop <shop@example.com>', to: ['one@example.com', 'two@example.com'] }
  const t = await testChannels(inject('postgresUrl'), { email })
  opened.push(t.close)
  return { t, mails: server.mails }
}

/** Quoted-printable, decoded. */
const decoded = (source: string) =>
  source
    .replaceAll(/=\r?\n/g, '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))

test('a notification is mailed once to all recipients, as text and as HTML in which nothing of a product is markup', async () => {
  const { t, mails } = await setUp()
  const [eventId] = await t.notify(newProducts(1), [1], `<b onclick='x'>Mug & "Co"</b>`)
  await expect.poll(t.statuses, patiently).toEqual({ 'smtp processed': 1 })
  expect(mails).toHaveLength(1)
  expect(mails[0]).toMatchObject({ from: 'shop@example.com', to: ['one@example.com', 'two@example.com'] })
  const source = decoded(mails[0]?.source ?? '')
  expect(source).toContain(`Message-ID: <${eventId}@example.com>`)
  expect(source).toContain('Subject: Product updated')
  expect(source).toContain('Auto-Submitted: auto-generated')
  const [text = '', html = ''] = source.split('text/html')
  expect(text).toContain(`"<b onclick='x'>Mug & "Co"</b>"`)
  expect(html).toContain('&lt;b onclick=&#39;x&#39;&gt;Mug &amp; &quot;Co&quot;&lt;/b&gt;')
  expect(html).not.toContain('<b ')
})

test('a mail that was refused for now is sent again with the same Message-ID, in order for each product', async () => {
  let refusals = 0
  const { t, mails } = await setUp((what) => (what === 'DATA' && refusals++ < 1 ? 451 : undefined))
  const ids = await t.notify(newProducts(1), [1, 2, 3])
  await expect.poll(t.statuses, patiently).toEqual({ 'smtp processed': 3 })
  expect(mails.map(({ source }) => /Message-ID: <([^@]+)/.exec(source)?.[1])).toEqual(ids)
  expect(t.logged('delivery refused')).toMatchObject([{ endpoint: 'email:smtp', event_id: ids[0] }])
})

test('a mail that the server refuses for good is dead at once, and the next goes', async () => {
  const gone = new Set(['one@example.com', 'two@example.com'])
  const { t, mails } = await setUp((what) => (gone.delete(what) ? 550 : undefined))
  await t.notify(newProducts(1), [1, 2])
  await expect.poll(t.statuses, patiently).toEqual({ 'smtp dead': 1, 'smtp processed': 1 })
  expect(mails).toHaveLength(1)
  expect(t.logged('delivery is dead')).toHaveLength(1)
})

test('recipients that the server does not know are told of, and the others get their mail once', async () => {
  const { t, mails } = await setUp((what) => (what === 'two@example.com' ? 550 : undefined))
  await t.notify(newProducts(1))
  await expect.poll(t.statuses, patiently).toEqual({ 'smtp processed': 1 })
  expect(mails.map(({ to }) => to)).toEqual([['one@example.com']])
  expect(t.logged('the mail server took the mail for others')).toMatchObject([{ recipients: ['two@example.com'] }])
})

test('a mail server that is away costs no mail', async () => {
  const away = await mailServer()
  await away.close()
  const email = { smtpUrl: away.url, from: 'shop@example.com', to: ['one@example.com'] }
  const t = await testChannels(inject('postgresUrl'), { email })
  opened.push(t.close)
  await t.notify(newProducts(1))
  await expect.poll(t.statuses, patiently).toEqual({ 'smtp failed': 1 })
  expect((await t.errors())[0]).toMatch(/ECONNREFUSED/)
})
