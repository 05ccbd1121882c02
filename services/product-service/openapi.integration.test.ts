import { freshDatabase } from '@product-events/local'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createAnswerCheck } from '../../packages/http-api/testing/check-answer.ts'
import type { OpenApiDocument } from '../../packages/http-api/openapi-document.ts'
import { exampleAnswers, exampleRequests, missingExamples } from '../../packages/http-api/testing/examples.ts'
import { create, migrations, openTestApp, type TestApp } from './testing/app.ts'

let it: TestApp
let document: OpenApiDocument
beforeAll(async () => {
  it = openTestApp(await freshDatabase(inject('postgresUrl'), ...migrations))
  document = (await it.app.inject('/openapi.json')).json()
})
afterAll(() => it.close())

test('the document is OpenAPI 3.1, has every route, and an example of every request, parameter and answer', async () => {
  expect(document.openapi).toBe('3.1.0')
  const routes = Object.entries(document.paths).map(([path, methods]) => [path, Object.keys(methods).toSorted()])
  expect(Object.fromEntries(routes)).toMatchObject({
    '/products': ['get', 'post'],
    '/products/{id}': expect.arrayContaining(['delete', 'get']) as string[],
  })
  expect(missingExamples(document)).toEqual([])
})

test('every answer that the document shows is one that it describes', () => {
  const check = createAnswerCheck(document)
  const answers = exampleAnswers(document)
  expect(answers.length).toBeGreaterThan(20)
  for (const answer of answers) expect(check(answer), JSON.stringify(answer)).toBeUndefined()
})

test('every request that the document shows is answered as described, and without an error', async () => {
  for (const { method, path, query, headers, body } of exampleRequests(document)) {
    const { id } = await create(it.app, { name: 'Tea', price: 1 })
    const answer = await it.app.inject({
      method,
      url: path.replace('{id}', id),
      query,
      headers,
      ...(body !== undefined && { payload: JSON.stringify(body) }),
    })
    expect([method, path, headers, body, answer.statusCode, answer.body]).toSatisfy(() => answer.statusCode < 400)
  }
})

test('the docs are one page that needs nothing else, and every operation is on it', async () => {
  const page = await it.app.inject('/docs')
  expect(page.statusCode).toBe(200)
  expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
  expect(page.headers['content-security-policy']).toContain("default-src 'none'")
  // But for the commands, which name this address.
  expect(page.body.replaceAll(/curl -[iN].*/g, '')).not.toMatch(/<script|https?:\/\/|\bsrc=|<link/)
  for (const { method } of exampleRequests(document))
    expect(page.body).toContain(method === 'GET' ? 'curl -i ' : `curl -i -X ${method} `)
  for (const [path, methods] of Object.entries(document.paths))
    for (const method of Object.keys(methods))
      expect(page.body).toContain(`<code>${method.toUpperCase()} ${path}</code></h2>`)
  expect(page.body).toContain('urn:problem-type:invalid-request')
})
