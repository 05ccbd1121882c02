/**
 * `npm run packed`: packs both libraries, installs the tarballs into empty folders, and lets each module system on each
 * runtime append, publish and consume an event once, on a real PostgreSQL and an embedded SQS. Then the types and the
 * packages themselves. Prints the tables; the exit code is 1 if one cell failed.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, freshDatabase, freshQueue, localCredentials, startPostgres, startSqs } from '../../local/index.ts'
import { measureImports } from './imports.ts'
import { lint } from './lint.ts'
import { bundle, install, pack, run, writePrograms } from './projects.ts'
import { type Cell, printTable } from './table.ts'
import { compileTypes } from './types.ts'

const bin = (path: string) => join(import.meta.dirname, 'node_modules', path)
const nodes = {
  'Node 20.19': bin('node20/bin/node'),
  'Node 22': bin('node22/bin/node'),
  'Node 24': process.execPath,
}
const jest = bin('jest/bin/jest.js')

await using opened = new AsyncDisposableStack()
const folder = await mkdtemp('/tmp/product-events-packed-')
await chmod(folder, 0o755)
opened.defer(() => rm(folder, { recursive: true, force: true }))

const since = performance.now()
const say = (what: string) => console.log(`${((performance.now() - since) / 1000).toFixed(0).padStart(4)} s  ${what}`)
const tarballs = await pack(folder)
say(`packed ${tarballs.map((path) => path.slice(folder.length + 1)).join(', ')}`)
const at = (name: string) => join(folder, name)
await install(at('esm'), tarballs, { type: 'module' })
await install(at('commonjs'), tarballs, {})
for (const name of ['esm', 'commonjs']) await writePrograms(at(name))
await bundle(bin('esbuild/bin/esbuild'), at('esm'), at('bundle'))
say('installed and bundled')

const postgres = await startPostgres({ dataDir: at('postgres'), port: await freePort(), settings: { fsync: 'off' } })
opened.defer(() => postgres.stop())
const sqs = await startSqs({ port: await freePort() })
opened.defer(() => sqs.stop())
const databaseUrl = await freshDatabase(postgres.url)
let runs = 0

async function tryOnce(program: string, words: string[], cwd: string): Promise<string> {
  const { sqs: client, queue } = await freshQueue(sqs.endpoint)
  client.destroy()
  const env = {
    ...localCredentials,
    PATH: process.env.PATH,
    HOME: folder,
    CI: 'true',
    AWS_ENDPOINT_URL_SQS: sqs.endpoint,
    DATABASE_URL: databaseUrl,
    SQS_QUEUE_URL: queue.url,
    SCHEMA: `run_${++runs}`,
  }
  const { stdout, stderr } = await run(program, words, { cwd, env, timeout: 90_000 })
  if (!/once/.test(stdout + stderr)) throw new Error(stdout + stderr)
  return 'once'
}

const cells: Cell[] = []
for (const [name, node] of Object.entries(nodes)) {
  cells.push(
    { row: 'ES modules', column: name, run: () => tryOnce(node, ['main.mjs'], at('esm')) },
    { row: 'CommonJS', column: name, run: () => tryOnce(node, ['main.cjs'], at('commonjs')) },
    { row: 'Jest', column: name, run: () => tryOnce(node, [jest, '--silent=false', '--verbose'], at('commonjs')) },
    { row: 'esbuild bundle', column: name, run: () => tryOnce(node, ['main.cjs'], at('bundle')) },
    { row: 'npx outbox, inbox', column: name, run: () => printSql(node) },
  )
}
const deno = ['run', '--allow-all', '--node-modules-dir=manual', 'main.mjs']
cells.push(
  { row: 'ES modules', column: 'Bun', run: () => tryOnce(bin('@oven/bun-linux-x64/bin/bun'), ['main.mjs'], at('esm')) },
  { row: 'ES modules', column: 'Deno', run: () => tryOnce(bin('@deno/linux-x64-glibc/deno'), deno, at('esm')) },
)

/** The commands need no driver and no client for it. */
async function printSql(node: string): Promise<string> {
  for (const name of ['outbox', 'inbox']) {
    const command = join(at('esm'), 'node_modules/@product-events', name, 'dist/bin.js')
    const { stdout } = await run(node, [command, 'sql', '--schema', 'shop'], { env: {} })
    if (!stdout.includes('CREATE TABLE "shop".')) throw new Error(stdout)
  }
  return 'works'
}

let failed = await printTable('install', cells)
say('each event published, and consumed once')
failed += await printTable('core', measureImports(at('esm')))
failed += await printTable('types', compileTypes(at('esm'), bin))
say('types compiled with skipLibCheck: false')
failed += await printTable('package', lint(tarballs, nodes['Node 22'], bin))
say(failed === 0 ? 'done' : `${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
