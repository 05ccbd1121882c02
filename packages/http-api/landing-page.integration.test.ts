import { createLogger, createRegistry } from '@product-events/telemetry'
import { afterAll, expect, test } from 'vitest'
import { addLandingPage, createHttpApi } from './index.ts'

const app = createHttpApi({
  logger: createLogger('test', 'silent'),
  registry: createRegistry(),
  access: {
    issuer: { jwksUrl: 'http://127.0.0.1:1/', issuer: 'https://id.example/', audience: 'x' },
    scopes: { read: 'r', write: 'w' },
  },
})
addLandingPage(app, {
  title: 'things',
  description: 'Things & <more>.',
  links: [{ name: 'docs', path: '/docs', text: 'each call' }],
})
afterAll(() => app.close())

test('a browser gets a page with links, without a token', async () => {
  const headers = { accept: 'text/html,application/xhtml+xml', host: 'events.example:8080' }
  const page = await app.inject({ url: '/', headers })
  expect(page.statusCode).toBe(200)
  expect(page.headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', vary: 'accept' })
  expect(page.headers['content-security-policy']).toContain("default-src 'none'")
  expect(page.body).toContain('Things &amp; &lt;more>.')
  expect(page.body).toContain('href="/docs"')
  expect(page.body).toContain('href="http://events.example:8084/"')
})

test.each(['*/*', 'application/json', undefined])('with Accept: %s the links are JSON', async (accept) => {
  const answer = await app.inject({ url: '/', headers: accept === undefined ? {} : { accept } })
  expect(answer.json()).toEqual({ service: 'things', description: 'Things & <more>.', links: { docs: '/docs' } })
})

test('a host that is markup stays text', async () => {
  const page = await app.inject({ url: '/', headers: { accept: 'text/html', host: '"><script>' } })
  expect(page.body).not.toContain('<script')
})
