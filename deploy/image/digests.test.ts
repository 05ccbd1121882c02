import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { freePort } from '@product-events/local'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestOf, imagesIn, pin } from './digests.ts'

const digest = `sha256:${'a'.repeat(64)}`
let host: string

/** A registry that wants a token, as the public ones do. */
const registry = createServer((request, response) => {
  if (request.url?.startsWith('/token?')) {
    const scope = new URL(request.url, 'http://x').searchParams.get('scope')
    return response.end(JSON.stringify({ token: `for ${scope}` }))
  }
  if (request.headers.authorization !== 'Bearer for repository:a/b:pull') {
    const realm = `Bearer realm="http://${host}/token",service="registry",scope="repository:a/b:pull"`
    return response.writeHead(401, { 'www-authenticate': realm }).end()
  }
  const known = request.method === 'HEAD' && request.url === '/v2/a/b/manifests/1.0'
  return response.writeHead(known ? 200 : 404, known ? { 'docker-content-digest': digest } : {}).end()
})

beforeAll(async () => {
  registry.listen(0, '127.0.0.1')
  await once(registry, 'listening')
  host = `127.0.0.1:${(registry.address() as AddressInfo).port}`
})
afterAll(() => {
  registry.close()
  registry.closeAllConnections()
})

test('the digest of a tag is what the registry says, with a token that needs no account', async () => {
  expect(await digestOf(`${host}/a/b:1.0`, 'http')).toBe(digest)
})

test('a tag that the registry does not know is an error and no digest', async () => {
  await expect(digestOf(`${host}/a/b:2.0`, 'http')).rejects.toThrow('404 without a digest')
})

test('a registry that can not be reached is named, with the reason', async () => {
  await expect(digestOf(`127.0.0.1:${await freePort()}/a/b:1.0`, 'http')).rejects.toThrow(
    /^http:\S+ does not answer: ECONNREFUSED$/,
  )
})

test('without an answer for every image the command ends with 1 and leaves each file as it was', async () => {
  const image = `127.0.0.1:${await freePort()}/a/b:1.0`
  const folder = mkdtempSync('/tmp/pin-digests-test-')
  try {
    const files = {
      'deploy/Dockerfile': `FROM ${image} AS build\n`,
      'compose.yaml': `services:\n  a:\n    image: ${image}\n`,
      'deploy/aws/settings.example.json': `{"collectorImage": "${image}"}\n`,
    }
    mkdirSync(join(folder, 'deploy', 'aws'), { recursive: true })
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text)
    const { status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'pin-digests.ts'), folder], {
      encoding: 'utf8',
    })
    expect(stderr).toMatch(/^no digest was written: https:\S+ does not answer: \S+\n$/)
    expect(status).toBe(1)
    for (const [file, text] of Object.entries(files)) expect(readFileSync(join(folder, file), 'utf8')).toBe(text)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.each([
  ['deploy/Dockerfile', ['node:24.21.0-slim']],
  ['compose.yaml', ['postgres', 'localstack/localstack', 'prom/prometheus', 'grafana/grafana']],
  ['deploy/aws/settings.example.json', ['public.ecr.aws/aws-observability/aws-otel-collector']],
])('%s: each image gets its digest behind its tag, once', (file, names) => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', file), 'utf8').replaceAll(/@sha256:[0-9a-f]{64}/g, '')
  const images = imagesIn(text)
  expect(images.map((image) => image.slice(0, names[0]?.includes(':') ? undefined : image.lastIndexOf(':')))).toEqual(
    names,
  )
  const pinned = images.reduce((all, image) => pin(all, image, digest), text)
  for (const image of images) expect(pinned).toContain(`${image}@${digest}`)
  expect(imagesIn(pinned)).toEqual([])
  expect(pinned.replaceAll(`@${digest}`, '')).toBe(text)
})

test('what is no digest is not written', () => {
  expect(() => pin('FROM node:1', 'node:1', 'sha256:abc')).toThrow('no digest')
})
