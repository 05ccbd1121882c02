import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { libraries, publishedManifest, readLibrary, root } from './library.ts'
import { replaceManifest, restoreManifest } from './manifest.ts'

test.each(libraries.map((folder) => [basename(folder), folder]))(
  'the package.json of %s leads to TypeScript: after a pack that was killed, npm run build puts it back',
  async (_name, folder) => {
    const { manifest } = await readLibrary(folder)
    expect(Object.values(manifest.exports)).toSatisfy((files: unknown[]) =>
      files.every((file) => String(file).endsWith('.ts')),
    )
  },
)

test.each(libraries.map((folder) => [basename(folder), folder]))(
  '%s is published with peers and types for both module systems, and without what only a checkout has',
  async (_name, folder) => {
    const published = publishedManifest(await readLibrary(folder))
    const names = Object.keys(published)
    for (const name of ['private', 'scripts', 'devDependencies', 'dependencies']) expect(names).not.toContain(name)
    expect(published.exports).not.toHaveProperty(['./command'])
    expect(published.exports['.']).toEqual({
      import: { types: './dist/index.d.ts', default: './dist/index.js' },
      require: { types: './dist/index.d.cts', default: './dist/index.cjs' },
    })
    expect(Object.keys(published.peerDependencies)).toEqual(Object.keys(published.peerDependenciesMeta as object))
    expect(published.engines).toEqual({ node: '>=20.19' })
    expect(await readFile(join(folder, 'LICENSE'), 'utf8')).toBe(await readFile(join(root, 'LICENSE'), 'utf8'))
  },
)

test('the package.json of the checkout comes back after a pack, also after one that was interrupted', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'package-'))
  const file = join(folder, 'package.json')
  await writeFile(file, 'the source')
  for (let interrupted = 0; interrupted < 2; interrupted++) {
    // As a pack does, which begins with what an interrupted one left.
    await restoreManifest(folder)
    await replaceManifest(folder, { exports: {}, bin: {}, peerDependencies: {}, engines: {} })
    expect(await readFile(file, 'utf8')).toContain('engines')
  }
  await restoreManifest(folder)
  expect(await readFile(file, 'utf8')).toBe('the source')
  expect(await readdir(folder)).toEqual(['package.json'])
  await rm(folder, { recursive: true })
})
