import { type ChildProcess, execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { freePort } from '@product-events/local'
import { expect, test } from 'vitest'

const folder = import.meta.dirname

/**
 * Runs `code` in a process of its own and resolves with the JSON lines that it printed. `onLine` gets the first.
 */
async function run(code: string, env: Record<string, string>, onLine?: (child: ChildProcess) => void) {
  const program = ['--expose-gc', '--input-type=module', '--eval', code]
  const running = promisify(execFile)(process.execPath, program, { env, timeout: 50_000 })
  running.child.stdout?.once('data', () => onLine?.(running.child))
  const lines = (await running).stdout.trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** Tells which packages of OpenTelemetry tracing loads. */
const PACKAGES = `
  import { registerHooks } from 'node:module'
  const packages = new Set()
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier.startsWith('@opentelemetry/')) packages.add(specifier)
      return next(specifier, context)
    },
  })
  await import("${folder}/tracing.ts")
  console.log(JSON.stringify({ packages: [...packages] }))`

test('without an endpoint nothing of OpenTelemetry is loaded, with one its SDK is', async () => {
  expect(await run(PACKAGES, {})).toEqual([{ packages: [] }])
  const [loaded] = await run(PACKAGES, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' })
  expect(loaded?.packages).toContain('@opentelemetry/sdk-trace')
})

/** Ends one span, and a hundred thousand more once a signal says that its export has failed. */
const MANY_SPANS = `
  import '${folder}/tracing.ts'
  import { activeTracer, endTracing } from '${folder}/index.ts'
  const tracer = activeTracer()
  tracer.startSpan('first').end()
  const alive = setInterval(() => {}, 1_000)
  await new Promise((told) => process.once('SIGUSR2', told))
  clearInterval(alive)
  const before = process.memoryUsage().heapUsed
  for (let n = 0; n < 100_000; n++) tracer.startSpan('more').end()
  gc()
  const grownMb = (process.memoryUsage().heapUsed - before) / 1e6
  const from = performance.now()
  await endTracing()
  console.log(JSON.stringify({ grownMb, endedInMs: performance.now() - from }))
  process.exit()`

test('a collector that is away costs one log line, a bounded memory, and half a second at the end', async () => {
  const OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${await freePort()}`
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TIMEOUT: '500' }
  const [told, measured, ...others] = await run(MANY_SPANS, env, (child) => child.kill('SIGUSR2'))
  expect(told).toMatchObject({ level: 'warn', msg: 'spans can not be sent, and are dropped' })
  expect(measured?.grownMb).toBeLessThan(32)
  expect(measured?.endedInMs).toBeLessThan(1_500)
  expect(others).toEqual([])
})

const ONE_SPAN = `
  import '${folder}/tracing.ts'
  import { activeTracer, endTracing } from '${folder}/index.ts'
  activeTracer().startSpan('last').end()
  await endTracing()
  console.log('{}')
  process.exit()`

test('what has ended by the end of the process is exported before it', async () => {
  const bodies: string[] = []
  const collector = createServer((request, response) => {
    text(request)
      .then((body) => bodies.push(body))
      .catch(() => {})
      .finally(() => response.end('{}'))
  }).listen(0, '127.0.0.1')
  await once(collector, 'listening')
  const { port } = collector.address() as AddressInfo
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_SERVICE_NAME: 'mine' }
  // The end of a process waits a bounded time for it, which a very busy machine may miss.
  for (let tries = 0; tries < 5 && bodies.length === 0; tries++) await run(ONE_SPAN, env)
  collector.close()
  expect(bodies).toHaveLength(1)
  expect(bodies[0]).toContain('"name":"last"')
  expect(bodies[0]).toContain('{"key":"service.name","value":{"stringValue":"mine"}}')
})
