import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type Stack, startStack } from './stack.ts'

/** A machine with only Node and npm can run all other tests. */
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

  /**
   * What a service may get wrong, and the check that finds it. All at once, since each run of the script costs dozens
   * of processes.
   */
  const faults: Record<string, (answer: Answer) => void> = {
    'the status is 204': (answer) => (answer.status = answer.status === 204 ? 200 : answer.status),
    'the status is 304': (answer) => (answer.status = answer.status === 304 ? 200 : answer.status),
    'the status is 400': (answer) => (answer.status = answer.status === 400 ? 500 : answer.status),
    'the status is 412': (answer) => (answer.status = answer.status === 412 ? 200 : answer.status),
    'the status is 422': (answer) => (answer.status = answer.status === 422 ? 201 : answer.status),
    'the header Location has /products/': (answer) => delete answer.headers.location,
    'the header Content-Type has application/problem+json': (answer) =>
      (answer.headers['content-type'] &&= 'application/json'),
    'the header ETag has "2"': (answer) => delete answer.headers.etag,
    'the header Idempotency-Replayed has true': (answer) => delete answer.headers['idempotency-replayed'],
    'there is a token for the next page': (answer) =>
      (answer.body = answer.body.replace(/"next_page_token":"[^"]*"/, '"next_page_token":null')),
    'the answer has "price":9999999999.99': (answer) =>
      (answer.body = answer.body.replace('9999999999.99', '10000000000')),
    'the answer has "description":"loose leaf"': (answer) =>
      (answer.body = answer.body.replace('"description":"loose leaf"', '"description":""')),
  }

  test('finds whatever a service gets wrong', async () => {
    const server = createServer(brokenService(stack.products.url)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { code, output } = await testApi(`http://127.0.0.1:${port}`)
    server.close()
    for (const check of Object.keys(faults)) expect(output).toContain(`NOT OK: ${check}\n`)
    expect(output).toMatch(/ checks, [1-9]\d* failed\n$/)
    expect(code).toBe(1)
  })

  /** Passes everything on to the service, but for what it gets wrong. */
  function brokenService(url: string): RequestListener {
    return (request, response) => {
      void (async () => {
        const chunks = (await request.toArray()) as Buffer[]
        const names = ['content-type', 'if-match', 'if-none-match', 'idempotency-key']
        const real = await fetch(url + request.url, {
          method: request.method ?? 'GET',
          headers: names.flatMap((name): [string, string][] =>
            name in request.headers ? [[name, String(request.headers[name])]] : [],
          ),
          ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
        })
        const answer = { status: real.status, headers: Object.fromEntries(real.headers), body: await real.text() }
        delete answer.headers['content-length']
        for (const breakIt of Object.values(faults)) breakIt(answer)
        response.writeHead(answer.status, answer.headers).end(answer.body)
      })()
    }
  }

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
