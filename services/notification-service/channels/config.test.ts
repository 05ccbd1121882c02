import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readChannels } from './config.ts'

const dir = mkdtempSync(join(tmpdir(), 'channels-'))
afterAll(() => rmSync(dir, { recursive: true }))

const secret = (bytes: number) => `whsec_${randomBytes(bytes).toString('base64')}`

function read(file: unknown, env: Record<string, string> = {}) {
  const path = join(dir, 'channels.json')
  writeFileSync(path, typeof file === 'string' ? file : JSON.stringify(file))
  return readChannels(path, env)
}

const webhook = { name: 'erp', url: 'https://erp.example/hook', secret_env: 'ERP_SECRET' }
const email = { smtp_url_env: 'SMTP_URL', from: 'Shop <shop@example.com>', to: ['a@example.com'] }

test('without the file, or with an empty one, there is no channel but the log', () => {
  expect(readChannels(undefined, {})).toBeUndefined()
  expect(read({})).toBeUndefined()
})

test('webhooks and email are read, with their secrets from the environment', () => {
  const [one, two] = [secret(24), secret(64)]
  const env = { ERP_SECRET: `${one} ${two}`, SMTP_URL: 'smtps://user:password@mail.example:465' }
  const config = read({ webhooks: [webhook], email, allow_hosts: ['ERP.internal'] }, env)
  expect(config?.webhooks).toEqual([{ name: 'erp', url: new URL(webhook.url), secrets: [one, two] }])
  const server = { host: 'mail.example', port: 465, secure: true, requireTls: false }
  const auth = { user: 'user', pass: 'password' }
  expect(config?.email).toEqual({ server: { ...server, auth }, from: email.from, to: email.to })
  expect([...(config?.allowHosts ?? [])]).toEqual(['erp.internal'])
})

test('plain http is for hosts that are allowed by name', () => {
  const plain = { ...webhook, url: 'http://erp.internal/hook' }
  const env = { ERP_SECRET: secret(32) }
  expect(() => read({ webhooks: [plain] }, env)).toThrow('begin with https://, or erp.internal be in allow_hosts')
  expect(read({ webhooks: [plain], allow_hosts: ['erp.internal'] }, env)?.webhooks).toHaveLength(1)
})

test.each([
  ['no file', undefined, 'CHANNELS_FILE must be the path of a JSON file'],
  ['not JSON', '{', 'CHANNELS_FILE must be the path of a JSON file'],
  ['an unknown field', { webhook: [] }, 'must not have additional properties'],
  ['a name with a space', { webhooks: [{ ...webhook, name: 'my erp' }] }, '/webhooks/0/name'],
  ['two of one name', { webhooks: [webhook, webhook] }, 'two webhooks are named erp'],
  ['no URL', { webhooks: [{ ...webhook, url: 'erp' }] }, 'the url of webhook erp must be like https://host/path'],
  ['a password in the URL', { webhooks: [{ ...webhook, url: 'https://a:b@c.example' }] }, 'must hold no password'],
  ['no secret', { webhooks: [{ ...webhook, secret_env: 'NONE' }] }, 'NONE is not set: it must be whsec_'],
  ['a short secret', { webhooks: [{ ...webhook, secret_env: 'SHORT' }] }, 'SHORT must be whsec_ and 24 to 64'],
  ['no recipient', { email: { ...email, to: [] } }, '/email/to'],
  ['an address without a host', { email: { ...email, from: 'shop' } }, '/email/from'],
  ['a header in an address', { email: { ...email, from: 'a@b.example\r\nBcc: x@y.example' } }, '/email/from'],
  ['no SMTP URL', { email: { ...email, smtp_url_env: 'NONE' } }, 'NONE is not set: it must be a URL like smtps://'],
])('%s is told with what was expected, and without secrets', (_, file, expected) => {
  const env = { ERP_SECRET: secret(32), SHORT: secret(23), SMTP_URL: 'smtp://127.0.0.1' }
  const attempt = () => (file === undefined ? readChannels(join(dir, 'gone.json'), {}) : read(file, env))
  expect(attempt).toThrow(expected)
  expect(attempt).not.toThrow(env.SHORT)
})

test.each([
  [
    'smtp://user:p%40ss@mail.example',
    { port: 587, secure: false, requireTls: true, auth: { user: 'user', pass: 'p@ss' } },
  ],
  ['smtp://user:50%@mail.example:2525', { port: 2525, requireTls: true, auth: { user: 'user', pass: '50%' } }],
  ['smtp://mail.example', { port: 587, secure: false, requireTls: false }],
  ['smtp://user:pass@localhost', { requireTls: false }],
  ['smtp://user:pass@127.0.0.1', { requireTls: false }],
  ['smtp://user:pass@[::1]:25', { host: '::1', port: 25, requireTls: false }],
  ['smtp://user:pass@localhost.example', { requireTls: true }],
  ['smtps://user:pass@mail.example', { port: 465, secure: true, requireTls: false }],
])('%s needs TLS for a password, unless it goes to this machine', (SMTP_URL, server) => {
  expect(read({ email }, { SMTP_URL })?.email?.server).toMatchObject(server)
})

test.each(['smtp://mail.example?ignoreTLS=true', 'smtps://mail.example/x', 'smtps://mail.example#x'])(
  'an option in the SMTP URL has no effect, so %s is refused',
  (SMTP_URL) => {
    expect(() => read({ email }, { SMTP_URL })).toThrow('SMTP_URL must end after the port')
  },
)

test('a recipient that is named twice gets one mail', () => {
  const to = ['a@example.com', 'b@example.com', 'a@example.com']
  expect(read({ email: { ...email, to } }, { SMTP_URL: 'smtp://127.0.0.1' })?.email?.to).toEqual(to.slice(0, 2))
})
