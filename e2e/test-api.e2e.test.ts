import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type Stack, startStack } from './stack.ts'

/** A machine with only Node and npm can run everything else. */
const hasCurl = succeeds('curl', '--version')

describe.runIf(hasCurl)('test_api.sh (where there is curl)', () => {
  let stack: Stack
  beforeAll(async () => {
    stack = await startStack({ postgresUrl: inject('postgresUrl'), sqsEndpoint: inject('sqsEndpoint') })
  })
  afterAll(() => stack.stop())

  test('is content with the service, shows each request and answer, and leaves nothing behind', async () => {
    const { code, output } = await testApi(stack.products.url)
    expect(output).not.toContain('NOT OK')
    expect(output).toMatch(/\n\d+ checks, 0 failed\n$/)
    expect(code).toBe(0)
    expect(output).toContain('POST /products  Content-Type: application/json  {"name":"Green tea"')
    const { products } = (await (await fetch(`${stack.products.url}/products`)).json()) as { products: unknown[] }
    expect(products).toEqual([])
  })

  /** Passes everything on to the service, but for one thing that it gets wrong. */
  function brokenService(breakIt: (answer: Answer) => void): RequestListener {
    return (request, response) => {
      void (async () => {
        const chunks = (await request.toArray()) as Buffer[]
        const headers = { ...(request.headers['content-type'] && { 'content-type': request.headers['content-type'] }) }
        const init = {
          method: request.method ?? 'GET',
          headers,
          ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
        }
        const real = await fetch(stack.products.url + request.url, init)
        const answer = { status: real.status, headers: Object.fromEntries(real.headers), body: await real.text() }
        delete answer.headers['content-length']
        breakIt(answer)
        response.writeHead(answer.status, answer.headers).end(answer.body)
      })()
    }
  }

  test.each<[string, (answer: Answer) => void]>([
    ['a deletion that answers 200', (answer) => (answer.status = answer.status === 204 ? 200 : answer.status)],
    ['a creation without its Location', (answer) => delete answer.headers.location],
    ['a bad request that becomes a 500', (answer) => (answer.status = answer.status === 400 ? 500 : answer.status)],
    ['errors that are plain JSON', (answer) => (answer.headers['content-type'] &&= 'application/json')],
    ['a list without a next page', (answer) => (answer.body = answer.body.replace(/"next_page_token":"[^"]*"/, ''))],
    ['prices that are rounded', (answer) => (answer.body = answer.body.replace('9999999999.99', '10000000000'))],
  ])('finds %s', async (_what, breakIt) => {
    const server = createServer(brokenService(breakIt)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { code, output } = await testApi(`http://127.0.0.1:${port}`)
    server.close()
    expect(output).toContain('NOT OK')
    expect(output).toMatch(/ checks, [1-9]\d* failed\n$/)
    expect(code).toBe(1)
  })

  test('fails when nobody answers', async () => {
    const { code, output } = await testApi('http://127.0.0.1:1')
    expect(output).toContain('no answer: curl: ')
    expect(code).toBe(1)
  })

  test('explains itself', async () => {
    const { code, output } = await testApi('http://127.0.0.1:8080', '--help')
    expect(output).toContain('[BASE_URL=http://127.0.0.1:8080] sh test_api.sh')
    expect(code).toBe(0)
  })
})

interface Answer {
  status: number
  headers: Record<string, string>
  body: string
}

async function testApi(url: string, ...args: string[]): Promise<{ code: number; output: string }> {
  const env = { PATH: process.env.PATH, BASE_URL: url }
  return new Promise((resolve) => {
    const child = execFile('sh', [`${import.meta.dirname}/../test_api.sh`, ...args], { env }, (_error, stdout) =>
      resolve({ code: child.exitCode ?? -1, output: stdout }),
    )
  })
}

function succeeds(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
