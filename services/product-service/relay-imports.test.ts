import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

/** Prints the packages from npm that a program loads, when it ends. */
const listPackages = `
  import { registerHooks } from 'node:module'
  import { writeSync } from 'node:fs'
  const loaded = new Set()
  registerHooks({
    load(url, context, next) {
      const [, name] = /.*\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url) ?? []
      if (name !== undefined) loaded.add(name)
      return next(url, context)
    },
  })
  process.on('exit', () => writeSync(1, 'loaded: ' + JSON.stringify([...loaded]) + '\\n'))`

async function packagesOf(main: string): Promise<string[]> {
  const preload = `data:text/javascript,${encodeURIComponent(listPackages)}`
  // Without configuration it ends as soon as everything is loaded.
  const ended = promisify(execFile)(process.execPath, ['--import', preload, join(import.meta.dirname, main)], {
    env: { DATABASE_URL: 'none' },
  })
  const { stdout } = await ended.catch((error: unknown) => error as { stdout: string })
  return JSON.parse(/^loaded: (.*)$/m.exec(stdout)?.[1] ?? '[]') as string[]
}

test('the relay alone loads neither Fastify nor Ajv nor schemas, which the API does', async () => {
  const api = ['fastify', 'ajv', 'typebox']
  const [relay, service] = await Promise.all([packagesOf('relay-main.ts'), packagesOf('main.ts')])
  expect(service).toEqual(expect.arrayContaining(api))
  expect(relay).toEqual(expect.arrayContaining(['pg', 'pino']))
  expect(relay.filter((name) => api.includes(name) || name.startsWith('@fastify/'))).toEqual([])
}, 60_000)
