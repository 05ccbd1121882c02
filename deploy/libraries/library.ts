import { readFile } from 'node:fs/promises'
import { join, parse, resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '../..')

/** The folders of the packages that are published. */
export const libraries = ['packages/outbox', 'packages/inbox'].map((folder) => join(root, folder))

/** Sub-paths that only this repository imports: their types come from code that is not published. */
const NOT_PUBLISHED = ['./command']

export interface Manifest {
  [field: string]: unknown
  exports: Record<string, unknown>
  bin: Record<string, string>
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  peerDependencies: Record<string, string>
  engines: Record<string, string>
}

/** A package as it is in a checkout: its `exports` lead to TypeScript. */
export interface Library {
  folder: string
  manifest: Manifest
  /** The TypeScript file of each module that is published, by the name of its JavaScript: `{ index: '…/index.ts' }`. */
  modules: Record<string, string>
  programs: Record<string, string>
}

export async function readLibrary(folder: string): Promise<Library> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest
  const published = Object.entries(manifest.exports).filter(([subpath]) => !NOT_PUBLISHED.includes(subpath))
  const modules = published.map(([subpath, file]) => [nameOf(subpath), join(folder, String(file))] as const)
  const programs = Object.values(manifest.bin).map((file) => [parse(file).name, join(folder, file)] as const)
  return { folder, manifest, modules: Object.fromEntries(modules), programs: Object.fromEntries(programs) }
}

/** `./sqs` is `sqs`, and `.` is `index`. */
function nameOf(subpath: string): string {
  return subpath === '.' ? 'index' : subpath.slice('./'.length)
}

/** The `package.json` of the tarball: what lies in `dist`, and nothing that only a checkout needs. */
export function publishedManifest({ manifest }: Library): Manifest {
  const { private: _private, scripts: _scripts, devDependencies: _dev, dependencies, ...rest } = manifest
  const exports = Object.keys(manifest.exports)
    .filter((subpath) => !NOT_PUBLISHED.includes(subpath))
    .map((subpath) => [subpath, conditions(nameOf(subpath))])
  const foreign = Object.entries(dependencies ?? {}).filter(([name]) => !name.startsWith('@product-events/'))
  return {
    ...rest,
    exports: { ...Object.fromEntries(exports), './package.json': './package.json' },
    bin: Object.fromEntries(Object.entries(manifest.bin).map(([name, file]) => [name, `dist/${parse(file).name}.js`])),
    files: ['dist'],
    sideEffects: false,
    ...(foreign.length > 0 && { dependencies: Object.fromEntries(foreign) }),
  }
}

function conditions(name: string) {
  return {
    import: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
    require: { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` },
  }
}
