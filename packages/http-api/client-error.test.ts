import { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import { createLogger } from '@product-events/telemetry'
import { expect, onTestFinished, test, vi } from 'vitest'
import { clientErrorAnswerer, REPORT_EVERY_MS } from './client-error.ts'

function answerTo(code: string, answer = clientErrorAnswerer(createLogger('test', 'silent'))): string {
  let said = ''
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _, done) {
      said += chunk.toString()
      done()
    },
  })
  answer(Object.assign(new Error(code), { code }), socket as Socket)
  return said
}

test('a request that did not arrive in time is 408', () => {
  expect(answerTo('ERR_HTTP_REQUEST_TIMEOUT')).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n[^]*"status":408/)
})

test('a caller that went away is told nothing', () => {
  expect(answerTo('ECONNRESET')).toBe('')
})

test('clients that never finish a request are each answered, and logged once a second with their number', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const logger = createLogger('test', 'silent')
  const lines: unknown[] = []
  vi.spyOn(logger, 'info').mockImplementation((fields: unknown) => void lines.push(fields))
  const answer = clientErrorAnswerer(logger)
  for (let n = 0; n < 1_000; n++) expect(answerTo('ERR_HTTP_REQUEST_TIMEOUT', answer)).toMatch(/^HTTP\/1.1 408 /)
  answerTo('HPE_HEADER_OVERFLOW', answer)
  expect(lines).toMatchObject([
    { reason: 'ERR_HTTP_REQUEST_TIMEOUT', status: 408, refused: 1 },
    { reason: 'HPE_HEADER_OVERFLOW', status: 431, refused: 1 },
  ])
  vi.advanceTimersByTime(REPORT_EVERY_MS)
  expect(lines.slice(2)).toMatchObject([{ reason: 'ERR_HTTP_REQUEST_TIMEOUT', refused: 999 }])
  vi.advanceTimersByTime(2 * REPORT_EVERY_MS)
  expect(lines).toHaveLength(3)
  answerTo('ERR_HTTP_REQUEST_TIMEOUT', answer)
  expect(lines.slice(3)).toMatchObject([{ reason: 'ERR_HTTP_REQUEST_TIMEOUT', refused: 1 }])
})
