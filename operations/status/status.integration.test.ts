import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { freePort, machineVariables } from '@product-events/local'
import { startOperationsServer } from '@product-events/process/service'
import { createRegistry, Gauge } from '@product-events/telemetry'
import { afterEach, expect, test } from 'vitest'
import { runStatus } from './run.ts'
import type { Instance } from './scrape.ts'

let opened = new AsyncDisposableStack()
afterEach(async () => {
  await opened.disposeAsync()
  opened = new AsyncDisposableStack()
})

/** A process that tells nothing but this, and how long its oldest event has waited. */
async function startProcess(service: Instance['service']) {
  const registry = createRegistry()
  const oldest = new Gauge({ name: 'outbox_oldest_pending_seconds', help: 'x', registers: [registry] })
  const readiness = { missing: () => Promise.resolve({}), notStarted: () => ({}) }
  const server = await startOperationsServer({ what: 'a test', host: '127.0.0.1', port: 0, registry, readiness })
  opened.defer(() => {
    server.close()
    server.closeAllConnections()
  })
  return { instance: { service, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }, oldest }
}

async function npmRunStatus(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [`${import.meta.dirname}/../status.ts`, ...args], {
    env: { ...machineVariables(), ...env },
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: child.exitCode, stdout, stderr }
}

test('an option that names a process means another stack than that of npm start', async () => {
  const DATA_DIR = await mkdtemp(join(tmpdir(), 'status-test-'))
  opened.defer(() => rm(DATA_DIR, { recursive: true }))
  const closed = `127.0.0.1:${await freePort()}`
  const variables = [
    `DATABASE_URL=postgres://${closed}`,
    'AWS_REGION=x',
    `PRODUCT_SERVICE_OPERATIONS_URL=http://${closed}`,
  ]
  await writeFile(join(DATA_DIR, 'stack.env'), variables.join('\n'))
  const { instance } = await startProcess('product-service')
  const [left, named] = await Promise.all([
    npmRunStatus([], { DATA_DIR }),
    npmRunStatus([`--product-service=${instance.url}`], { DATA_DIR }),
  ])
  expect(left).toMatchObject({
    stderr: expect.stringContaining('stack.env'),
    stdout: expect.stringContaining('PostgreSQL'),
  })
  expect(named.stderr).toBe('')
  expect(named.stdout).toContain(instance.url)
  expect(named.stdout).not.toContain('PostgreSQL of')
})

test('what was not understood ends with 2 and says what was expected; help asks nobody', async () => {
  const [unknown, flag, variable, help] = await Promise.all([
    npmRunStatus(['--wotch']),
    npmRunStatus(['--product-service', 'localhost']),
    npmRunStatus([], { NOTIFICATION_SERVICE_OPERATIONS_URL: 'http://me:hunter2@x' }),
    npmRunStatus(['--help']),
  ])
  expect(unknown).toMatchObject({
    code: 2,
    stdout: '',
    stderr: 'status: there is no option --wotch. Try status --help.\n',
  })
  expect(flag.stderr).toBe(
    'status: --product-service must be http://host:port, or several of those with commas between, not "localhost". ' +
      'Try status --help.\n',
  )
  expect(variable.stderr).toMatch(
    /^status: configuration: NOTIFICATION_SERVICE_OPERATIONS_URL must be http:\/\/host:port[^\n]*\n$/,
  )
  expect(variable.stderr).not.toContain('hunter2')
  expect([flag.code, variable.code, help.code]).toEqual([2, 2, 0])
})

test('services that do not answer are told plainly, for people and for programs, with 1', async () => {
  const [one, other] = [await freePort(), await freePort()].map((port) => `http://127.0.0.1:${port}`)
  const env = { PRODUCT_SERVICE_OPERATIONS_URL: `${one}/`, NOTIFICATION_SERVICE_OPERATIONS_URL: other! }
  const [screen, json] = await Promise.all([npmRunStatus([], env), npmRunStatus(['--json'], env)])
  const problems = [
    `product-service: no answer at ${one} (ECONNREFUSED): it does not run`,
    `notification-service: no answer at ${other} (ECONNREFUSED): it does not run`,
  ]
  for (const problem of problems) expect(screen.stdout.replaceAll(/\n +/g, ' ')).toContain(`- ${problem}\n`)
  expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, problems })
  expect([screen.code, json.code]).toEqual([1, 1])
})

test('the second look does not wait for a frozen process to fail the first: the answer comes after one timeout', async () => {
  let asked = 0
  let ended = 0
  const frozen = createServer((_, response) => {
    asked++
    response.once('close', () => ended++)
  }).listen(0, '127.0.0.1')
  await once(frozen, 'listening')
  const stop = new AbortController()
  const url = `http://127.0.0.1:${(frozen.address() as AddressInfo).port}`
  const output = { write: () => {}, colours: false, redraws: false }
  const looking = runStatus({
    instances: [{ service: 'product-service', url }],
    watch: false,
    json: false,
    output,
    signal: stop.signal,
  })
  // Metrics and health, twice.
  await expect.poll(() => asked, { timeout: 50_000, interval: 20 }).toBe(4)
  expect(ended).toBe(0)
  stop.abort()
  await looking
  frozen.closeAllConnections()
  frozen.close()
})

test('a watch draws over its last screen, follows what changes, and leaves the terminal as it was', async () => {
  const products = await startProcess('product-service')
  const notifications = await startProcess('notification-service')
  const stop = new AbortController()
  let written = ''
  const output = { write: (text: string) => void (written += text), colours: false, redraws: true }
  const instances = [products.instance, notifications.instance]
  const watching = runStatus({ instances, watch: true, json: false, output, signal: stop.signal })
  await expect.poll(() => written, { timeout: 10_000 }).toContain('Nothing that answered is wrong.')
  products.oldest.set(60)
  await expect.poll(() => written, { timeout: 10_000 }).toContain('events are held up')
  stop.abort()
  expect(await watching).toBe(1)
  expect(written.startsWith('\x1b[?1049h\x1b[?25l')).toBe(true)
  const [, left = ''] = written.split('\x1b[?25h\x1b[?1049l')
  expect(left).toMatch(/^product-events .*[^]*events are held up/)
})

test('where nothing can be drawn over, one screen follows another; for programs each is one line', async () => {
  const { instance } = await startProcess('product-service')
  const shown = async (json: boolean) => {
    const stop = new AbortController()
    let written = ''
    const write = (text: string) => {
      written += text
      stop.abort()
    }
    const output = { write, colours: false, redraws: false }
    const code = await runStatus({ instances: [instance], watch: true, json, output, signal: stop.signal })
    return { code, written }
  }
  const [people, programs] = await Promise.all([shown(false), shown(true)])
  // A process that tells one number of many: that is not known to be well.
  expect(people).toEqual({ code: 1, written: expect.stringMatching(/^product-events [^]*\nUnknown: [^]*that\.\n\n$/) })
  expect(programs).toEqual({ code: 1, written: expect.stringMatching(/^\{.*\}\n$/) })
  expect(people.written).not.toContain('\x1b')
})
