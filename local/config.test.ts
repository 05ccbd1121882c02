import { expect, test } from 'vitest'
import { portVariables, program, readStartConfig } from './config.ts'

test('without any variable the ports are the documented ones', () => {
  const { ports, queueName, logLevel } = readStartConfig({})
  expect(ports).toEqual({
    CONSOLE_PORT: 8084,
    PRODUCT_SERVICE_PORT: 8080,
    NOTIFICATION_SERVICE_PORT: 8081,
    PRODUCT_SERVICE_METRICS_PORT: 8082,
    NOTIFICATION_SERVICE_METRICS_PORT: 8083,
    POSTGRES_PORT: 5432,
    SQS_PORT: 4566,
  })
  expect({ queueName, logLevel }).toEqual({ queueName: 'product-notifications', logLevel: 'info' })
})

test.each(['0', '65536', '-1', '80.5', 'http', ' 80', '1e3'])('"%s" is no port, and the variable is named', (text) => {
  expect(() => readStartConfig({ SQS_PORT: text })).toThrow(`SQS_PORT is "${text}": expected a port, 1 to 65535`)
})

test.each(['1', '65535'])('%s is a port', (text) => {
  expect(readStartConfig({ SQS_PORT: text }).ports.SQS_PORT).toBe(Number(text))
})

test('one port for two parts is refused with both variables', () => {
  expect(() => readStartConfig({ SQS_PORT: '9000', POSTGRES_PORT: '9000' })).toThrow(
    'POSTGRES_PORT and SQS_PORT are both 9000',
  )
})

test('the variables of OpenTelemetry reach the services, and no other does', () => {
  const tracing = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318', OTEL_EXPORTER_OTLP_HEADERS: 'key=x' }
  expect(readStartConfig({ ...tracing, DATABASE_URL: 'postgres://elsewhere' }).tracing).toEqual(tracing)
  expect(readStartConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: '' }).tracing).toEqual({})
})

test('the help lists every variable', () => {
  const others = ['SQS_QUEUE_NAME', 'DATA_DIR', 'LOG_LEVEL', 'OTEL_EXPORTER_OTLP_ENDPOINT']
  for (const name of [...portVariables, ...others]) expect(program.more).toContain(name)
})

test.each([
  [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL must be one of fatal, error, warn'],
  [{ SQS_QUEUE_NAME: 'my queue' }, 'SQS_QUEUE_NAME must be the name of a queue'],
])('%j is told before anything starts', (env, message) => {
  expect(() => readStartConfig(env)).toThrow(message)
})
