/** What npm runs before it packs or publishes the package of the current folder. */
import { buildLibrary } from './build.ts'
import { publishedManifest, readLibrary } from './library.ts'
import { replaceManifest, restoreManifest } from './manifest.ts'

const folder = process.cwd()
await restoreManifest(folder)
const library = await readLibrary(folder)
await buildLibrary(library)
// Last, and for as long as it takes to write the tarball.
await replaceManifest(folder, publishedManifest(library))
