import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { connectSqs } from './index.ts'

/** Stands for SQS, for the container's endpoint and for STS: it accepts one access key, and hands out another. */
let server: Server
let url: string
let valid: string
let handedOut: string
let dir: string
let sqs: SQSClient
beforeEach(async () => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined)
  dir = await mkdtemp('/tmp/credentials-test-')
  valid = handedOut = 'FIRST'
  server = createServer((request, response) => {
    const [, key = ''] = /Credential=([^/]+)\//.exec(request.headers.authorization ?? '') ?? []
    if (request.url === '/container') response.end(JSON.stringify({ ...keys(), Token: 't', Expiration: later() }))
    else if (request.headers['x-amz-target'] === undefined) response.end(assumed())
    else if (key === valid) response.end('{"Attributes":{}}')
    else {
      response.writeHead(403, { 'content-type': 'application/x-amz-json-1.0' })
      response.end('{"__type":"com.amazonaws.sqs#UnrecognizedClientException","message":"no such key"}')
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  sqs = connectSqs({ endpoint: url, region: 'us-east-1', requestTimeoutMs: 10_000, maxConnections: 2 })
})
afterEach(async () => {
  vi.unstubAllEnvs()
  sqs.destroy()
  server.close()
  server.closeAllConnections()
  await rm(dir, { recursive: true })
})

const later = () => new Date(Date.now() + 3_600_000).toISOString()
const keys = () => ({ AccessKeyId: handedOut, SecretAccessKey: 's' })
const assumed = () => `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>${handedOut}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
  <SessionToken>t</SessionToken><Expiration>${later()}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
  </AssumeRoleWithWebIdentityResponse>`
const profile = () =>
  writeFile(`${dir}/credentials`, `[default]\naws_access_key_id = ${handedOut}\naws_secret_access_key = s\n`)

const call = () => sqs.send(new GetQueueAttributesCommand({ QueueUrl: `${url}/1/queue`, AttributeNames: ['All'] }))

test.each([
  ['a profile', { AWS_SHARED_CREDENTIALS_FILE: '/credentials', AWS_CONFIG_FILE: '/none' }],
  ['the container', { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'container' }],
  ['web identity', { AWS_WEB_IDENTITY_TOKEN_FILE: '/token', AWS_ROLE_ARN: 'arn:aws:iam::1:role/app' }],
])('a key from %s that was replaced costs one call, and no restart', async (_, variables) => {
  const at = (value: string) =>
    value.startsWith('/') ? `${dir}${value}` : value === 'container' ? `${url}/container` : value
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, at(value))
  vi.stubEnv('AWS_ENDPOINT_URL_STS', url)
  vi.stubEnv('AWS_REGION', 'us-east-1')
  await writeFile(`${dir}/token`, 'a token')
  await profile()
  await call()
  await call()
  valid = handedOut = 'SECOND'
  await profile()
  await expect(call()).rejects.toThrow('no such key')
  await call()
  valid = handedOut = 'THIRD'
  await profile()
  // The next time it is asked a second later, however many calls fail meanwhile.
  await vi.waitFor(call, { timeout: 50_000 })
})
