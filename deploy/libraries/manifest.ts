import { existsSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Manifest } from './library.ts'

/** Where the package.json of the checkout is while npm packs the published one. */
const SOURCE = 'package.source.json'

/** Puts the published package.json in the place of the checkout's: npm packs the package.json that is there. */
export async function replaceManifest(folder: string, manifest: Manifest): Promise<void> {
  const file = join(folder, 'package.json')
  await writeFile(`${file}.new`, `${JSON.stringify(manifest, null, 2)}\n`)
  await rename(file, join(folder, SOURCE))
  await rename(`${file}.new`, file)
}

/** Undoes that, also after a pack that was interrupted. */
export async function restoreManifest(folder: string): Promise<void> {
  if (existsSync(join(folder, SOURCE))) await rename(join(folder, SOURCE), join(folder, 'package.json'))
}
