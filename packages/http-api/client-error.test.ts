import { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import { createLogger } from '@product-events/telemetry'
import { expect, test } from 'vitest'
import { answerClientError } from './client-error.ts'

function answerTo(code: string): string {
  let answer = ''
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _, done) {
      answer += chunk.toString()
      done()
    },
  })
  answerClientError(createLogger('test', 'silent'), Object.assign(new Error(code), { code }), socket as Socket)
  return answer
}

test('a request that did not arrive in time is 408', () => {
  expect(answerTo('ERR_HTTP_REQUEST_TIMEOUT')).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n[^]*"status":408/)
})

test('a caller that went away is told nothing', () => {
  expect(answerTo('ECONNRESET')).toBe('')
})
