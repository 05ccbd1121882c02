import { expect, test } from 'vitest'
import { readTracingConfig, serviceOf } from './config.ts'

test.each([undefined, '', ' ', 'localhost'])('with OTEL_EXPORTER_OTLP_ENDPOINT %j nothing is traced', (endpoint) => {
  expect(readTracingConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })).toBeUndefined()
})

test('with an endpoint there are traces', () => {
  const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://localhost:4318'
  expect(readTracingConfig({ OTEL_EXPORTER_OTLP_ENDPOINT })).toEqual({ logLevel: 'info' })
  expect(readTracingConfig({ OTEL_EXPORTER_OTLP_ENDPOINT, LOG_LEVEL: 'warn' })).toEqual({ logLevel: 'warn' })
})

test.each([
  ['/app/product-service/main.ts', 'product-service'],
  ['/app/product-service/relay-main.ts', 'relay'],
  ['/service/dist/notification-service.js', 'notification-service'],
])('%s calls itself %s', (main, name) => {
  expect(serviceOf(main)).toBe(name)
})
