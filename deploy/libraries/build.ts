import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { buildDeclarations } from './declarations.ts'
import { buildJavaScript } from './javascript.ts'
import type { Library } from './library.ts'

/** Makes `dist` of a library: JavaScript for both module systems, and declarations for both. */
export async function buildLibrary(library: Library): Promise<void> {
  const dist = join(library.folder, 'dist')
  await rm(dist, { recursive: true, force: true })
  await mkdir(dist)
  await Promise.all([buildJavaScript(library), buildDeclarations(library)])
}
