import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, test, vi } from 'vitest'

vi.setConfig({ testTimeout: 120_000 })

const root = `${import.meta.dirname}/../..`
const programs = {
  'product-service': 'services/product-service/main.ts',
  relay: 'services/product-service/relay-main.ts',
  'notification-service': 'services/notification-service/main.ts',
}

test.each(Object.entries(programs))('%s tells its version without any configuration', async (name, main) => {
  const child = spawn(process.execPath, [main, '--version'], { cwd: root, env: {} })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  expect({ stdout, stderr, code: child.exitCode }).toEqual({ stdout: `${name} 1.0.0\n`, stderr: '', code: 0 })
})

/** Sends the process a SIGTERM as soon as it listens for one, and tells which modules it had loaded by then. */
const terminate = `import { registerHooks } from 'node:module'
  const urls = []
  registerHooks({ load(url, context, next) { urls.push(url); return next(url, context) } })
  process.once('newListener', function early(event) {
    if (event !== 'SIGTERM') return process.once('newListener', early)
    process.stderr.write(JSON.stringify(urls))
    setImmediate(() => process.kill(process.pid, 'SIGTERM'))
  })`

test.each(Object.entries(programs))('%s handles SIGTERM before it loads anything, and ends with 0', async (_, main) => {
  const child = spawn(process.execPath, [`--import=data:text/javascript,${encodeURIComponent(terminate)}`, main], {
    cwd: root,
    env: { DATABASE_URL: 'postgres://127.0.0.1:1/x', AWS_REGION: 'eu-central-1', METRICS_PORT: '0', HTTP_PORT: '0' },
  })
  const [stderr, ended] = await Promise.all([text(child.stderr), once(child, 'exit'), text(child.stdout)])
  expect(ended).toEqual([0, null])
  expect((JSON.parse(stderr) as string[]).length).toBeLessThan(5)
})

test('the relay that runs alone loads no HTTP framework and no validator', async () => {
  const list = `import { registerHooks } from 'node:module'
    const urls = []
    registerHooks({ load(url, context, next) { urls.push(url); return next(url, context) } })
    process.on('exit', () => process.stderr.write(JSON.stringify(urls)))`
  const child = spawn(process.execPath, [`--import=data:text/javascript,${encodeURIComponent(list)}`, programs.relay], {
    cwd: root,
    env: { DATABASE_URL: 'none', AWS_REGION: 'eu-central-1' },
  })
  const [stderr] = await Promise.all([text(child.stderr), once(child, 'exit')])
  const [, urls = '[]'] = /(\[.*\])$/.exec(stderr) ?? []
  const modules = JSON.parse(urls) as string[]
  const packages = modules.map((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1])
  expect(packages).toContain('pg')
  for (const name of ['fastify', 'ajv', 'ajv-formats', '@fastify/swagger', 'jose', 'typebox', 'find-my-way'])
    expect(packages, name).not.toContain(name)
  expect(modules.length).toBeLessThan(900)
})
