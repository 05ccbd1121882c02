import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)

test('the core loads neither a database driver, nor a broker client, nor metrics, nor anything else from npm', async () => {
  const program = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
    const core = ${JSON.stringify(`${import.meta.dirname}/index.ts`)}
    await import(core)
    console.log(JSON.stringify(loaded))`
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program])
  const loaded = (JSON.parse(stdout) as string[]).filter((url) => !url.startsWith('node:'))
  expect(loaded.length).toBeGreaterThan(10)
  expect(loaded.filter((url) => !/\/packages\/(outbox|outages|database)\/[\w-]+\.ts$/.test(url))).toEqual([])
})
