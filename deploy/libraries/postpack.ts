/** What npm runs once the tarball of the current folder is written. */
import { restoreManifest } from './manifest.ts'

await restoreManifest(process.cwd())
