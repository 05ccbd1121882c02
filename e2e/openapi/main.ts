/**
 * `npm ci --prefix e2e/openapi && node e2e/openapi/main.ts`: holds the OpenAPI documents of all three programs against
 * a public linter, makes clients from them, compiles these, and lets them talk to the running services.
 */
import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createConfig, lint } from '@redocly/openapi-core'
import openapiTS, { astToString } from 'openapi-typescript'
import { freePorts, npmStart } from '../npm-start.ts'

const generated = `${import.meta.dirname}/dist`
const names = {
  'product-service': 'PRODUCT_SERVICE_PORT',
  'notification-service': 'NOTIFICATION_SERVICE_PORT',
  console: 'CONSOLE_PORT',
}

await using opened = new AsyncDisposableStack()
const dataDir = await mkdtemp('/tmp/product-events-openapi-')
await chmod(dataDir, 0o755)
opened.defer(() => rm(dataDir, { recursive: true, force: true }))
const ports = await freePorts()
const stack = npmStart(dataDir, ports)
opened.defer(async () => {
  stack.child.kill('SIGTERM')
  await stack.ended
})
await stack.ready()

const addressOf = (name: keyof typeof names) => `http://127.0.0.1:${ports[names[name]]}`
await mkdir(generated, { recursive: true })
for (const name of Object.keys(names) as (keyof typeof names)[]) {
  const text = await (await fetch(`${addressOf(name)}/openapi.json`)).text()
  await writeFile(`${generated}/${name}.json`, text)
  await lintDocument(name)
  await writeFile(`${generated}/${name}.ts`, astToString(await openapiTS(text)))
}
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '--noEmit'], {
  cwd: import.meta.dirname,
  stdio: 'inherit',
})
process.stdout.write('the clients compile\n')

const { tryNotifications, tryProducts } = await import('./client.ts')
await tryProducts(addressOf('product-service'))
await tryNotifications(addressOf('notification-service'))
process.stdout.write('the clients do the whole of test_api.sh\n')

async function lintDocument(name: string): Promise<void> {
  const config = await createConfig({ extends: ['recommended'] })
  const problems = await lint({ ref: `${generated}/${name}.json`, config })
  for (const { ruleId, message, location } of problems)
    process.stdout.write(`${name}: ${ruleId}: ${message} at ${location[0]?.pointer ?? ''}\n`)
  if (problems.length > 0) process.exitCode = 1
  process.stdout.write(`${name}: ${problems.length} findings of the recommended rules\n`)
}
