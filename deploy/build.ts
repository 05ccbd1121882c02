/**
 * `npm run build`: each program as one file, and what traces a service, `dist/tracing.js`, for plain Node without
 * node_modules, and beside them the migrations' SQL files.
 */
import { cp, glob, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { type Plugin, rolldown } from 'rolldown'

const root = resolve(import.meta.dirname, '..')
const dist = join(root, 'dist')

/** Whoever runs the services from images has no checkout to run the commands of the person on call from. */
const programs = {
  'product-service': 'services/product-service/main.ts',
  'notification-service': 'services/notification-service/main.ts',
  console: 'operations/console/main.ts',
  relay: 'services/product-service/relay-main.ts',
  migrate: 'operations/migrate.ts',
  outbox: 'operations/outbox.ts',
  inbox: 'operations/inbox.ts',
  dlq: 'operations/dlq.ts',
  // Loaded before a service by --import. The API finds what it sets up, although each bundle has a copy of the API.
  tracing: 'packages/telemetry/tracing.ts',
}

await rm(dist, { recursive: true, force: true })
await mkdir(dist)
for (const [name, main] of Object.entries(programs)) {
  await bundle(join(root, main), join(dist, `${name}.js`))
  console.log(`dist/${name}.js`)
}
for await (const migrations of glob('{packages,services,operations}/*/migrations', { cwd: root })) {
  await cp(join(root, migrations), join(dist, migrations), { recursive: true })
  console.log(`dist/${migrations}/`)
}
await bundlePage('operations/console/page')
// The bundles are ES modules wherever the folder is copied.
await writeFile(join(dist, 'package.json'), '{ "type": "module" }\n')

async function bundle(input: string, file: string): Promise<void> {
  const build = await rolldown({
    input,
    platform: 'node',
    // An optional part of pg, which tries it and goes on without.
    external: ['pg-native'],
    plugins: [keepFolders()],
    onLog(level, log, handle) {
      // Warnings about packages are theirs to fix; ours stop the build.
      if (level === 'warn' && !log.id?.includes('node_modules')) throw new Error(log.message)
      if (level !== 'warn') handle(level, log)
    },
  })
  await build.write({ file, format: 'esm', codeSplitting: false, minify: false })
  await build.close()
}

/** The page of the console: one script for browsers, with its libraries, and the files beside it. */
async function bundlePage(folder: string): Promise<void> {
  const build = await rolldown({ input: join(root, folder, 'main.ts'), platform: 'browser', plugins: [unindent()] })
  await build.write({ file: join(dist, folder, 'main.js'), format: 'esm', codeSplitting: false, minify: true })
  await build.close()
  for (const name of ['style.css', 'icon.svg']) await cp(join(root, folder, name), join(dist, folder, name))
  console.log(`dist/${folder}/`)
}

/** Templates are indented for people, and `htm` ignores that: without it the script is a twentieth smaller. */
function unindent(): Plugin {
  return {
    name: 'unindent',
    transform: (code, id) =>
      id.includes('node_modules') ? null : { code: code.replaceAll(/\n\s+/g, '\n'), map: null },
  }
}

/** A module that looks for files beside itself finds them below `dist`, under the name of its own folder. */
function keepFolders(): Plugin {
  return {
    name: 'keep-folders',
    transform(code, id) {
      if (id.includes('node_modules') || !code.includes('import.meta.dirname')) return null
      const folder = relative(root, dirname(id))
      return { code: code.replaceAll('import.meta.dirname', `(import.meta.dirname + '/${folder}')`), map: null }
    },
  }
}
