/** The libraries' part of `npm run build`: `dist` of each. `npm pack` in a package does it too. */
import { relative } from 'node:path'
import { buildLibrary } from './build.ts'
import { libraries, readLibrary, root } from './library.ts'
import { restoreManifest } from './manifest.ts'

for (const folder of libraries) {
  await restoreManifest(folder)
  await buildLibrary(await readLibrary(folder))
  console.log(`${relative(root, folder)}/dist/`)
}
