import { dirname, relative } from 'node:path'
import { type OutputAsset, type OutputChunk, type Plugin, rolldown } from 'rolldown'

/**
 * Functions of packages that a service loads only when it calls them: for mail, for logs on a terminal, and for an
 * OpenAPI document in YAML, which no route answers with.
 */
export const lazyFunctions: Record<string, readonly string[]> = {
  nodemailer: ['createTransport'],
  'pino-pretty': ['default'],
  yaml: ['parse', 'stringify'],
}

export interface BundleOptions {
  name: string
  folder: string
  root: string
}

const inPackages = /^(?!.*node_modules).*\/packages\//

/** Half the source to read and to compile. The names of functions stay, for the stacks in the log. */
const minify = { mangle: { keepNames: true }, compress: true, codegen: true } as const

/**
 * Bundles one program for plain Node without node_modules: `<name>.js`, and beside it what the program loads later.
 * Resolves to the paths of the modules that are in it.
 */
export async function bundleProgram(input: string, { name, folder, root }: BundleOptions): Promise<string[]> {
  const imports = new Set<string>()
  const build = await rolldown({
    input: { [name]: input },
    platform: 'node',
    // The SDK's ES modules: of its CommonJS nothing can be left out.
    resolve: { mainFields: ['module', 'main'] },
    // A module of ours that is imported for one function does not bring along what its others need.
    treeshake: { moduleSideEffects: [{ test: inPackages, sideEffects: false }] },
    // An optional part of pg, which tries it and goes on without.
    external: ['pg-native'],
    // How long a build takes on a busy machine is no fault of the code, nor that a command loads at its start what a
    // service loads later.
    checks: { bundlerTimings: false, ineffectiveDynamicImport: false },
    plugins: [sqlMigrationsOnly(), lazyPackages(), plainBuiltins(), keepFolders(root), importsOfProgram(imports)],
    onLog(level, log, handle) {
      // Warnings about packages are theirs to fix; ours stop the build.
      if (level === 'warn' && !log.id?.includes('node_modules')) throw new Error(log.message)
      if (level !== 'warn') handle(level, log)
    },
  })
  const { output } = await build.write({
    dir: folder,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: `${name}-[name]-[hash].js`,
    // One file, not one for each set of modules that some part loaded later shares with it.
    codeSplitting: { groups: [{ name: 'imports', test: (id) => imports.has(id) }] },
    minify,
  })
  await build.close()
  return modulesOf(output)
}

/** Bundles a package of `lazyFunctions` as `lazy-<name>.cjs`. */
export async function bundleLazyPackage(name: string, folder: string): Promise<string[]> {
  const build = await rolldown({ input: { [`lazy-${name}`]: name }, platform: 'node', onLog: () => {} })
  const { output } = await build.write({ dir: folder, format: 'cjs', entryFileNames: '[name].cjs', minify })
  await build.close()
  return modulesOf(output)
}

function modulesOf(output: readonly (OutputChunk | OutputAsset)[]): string[] {
  return output.flatMap((part) => (part.type === 'chunk' ? Object.keys(part.modules) : []))
}

/** node-pg-migrate loads a TypeScript compiler for migrations in TypeScript. Ours are SQL. */
function sqlMigrationsOnly(): Plugin {
  const id = '\0jiti'
  return {
    name: 'sql-migrations-only',
    resolveId: (source) => (source === 'jiti' ? id : null),
    load: (loaded) => (loaded === id ? 'export const createJiti = () => ({})' : null),
  }
}

/**
 * Collects the imports of the module that the entry imports once it runs, and not that module: it awaits its start at
 * its top level, so a module that is loaded meanwhile would wait forever for a chunk with it.
 */
function importsOfProgram(found: Set<string>): Plugin {
  const programs = new Set<string>()
  return {
    name: 'imports-of-program',
    moduleParsed({ id, isEntry, importedIds, dynamicallyImportedIds }) {
      if (isEntry) dynamicallyImportedIds.forEach((id) => programs.add(id))
      if (programs.has(id)) importedIds.forEach((id) => found.add(id))
    },
  }
}

function lazyPackages(): Plugin {
  const prefix = '\0lazy:'
  return {
    name: 'lazy-packages',
    resolveId: (id) => (id in lazyFunctions ? prefix + id : null),
    load(id) {
      if (!id.startsWith(prefix)) return null
      const name = id.slice(prefix.length)
      const load = `createRequire(import.meta.url)('./lazy-${name}.cjs')`
      const exported = (lazyFunctions[name] ?? []).map((name) =>
        name === 'default'
          ? `export default (...args) => { const loaded = ${load}; return (loaded.default ?? loaded)(...args) }`
          : `export const ${name} = (...args) => ${load}.${name}(...args)`,
      )
      return ["import { createRequire } from 'node:module'", ...exported].join('\n')
    },
  }
}

/**
 * `import 'node:http'` makes Node load all that `http` exports, WebSocket and fetch among it: a tenth of a start. With
 * `getBuiltinModule` it loads what is used.
 */
function plainBuiltins(): Plugin {
  const prefix = '\0builtin:'
  return {
    name: 'plain-builtins',
    resolveId(id) {
      // Rolldown's own runtime requires `node:module` before any other module is there.
      if (id === 'node:module' || id === 'module' || process.getBuiltinModule(id) === undefined) return null
      return `${prefix}${id}.cjs`
    },
    load(id) {
      if (!id.startsWith(prefix)) return null
      return `module.exports = process.getBuiltinModule('${id.slice(prefix.length, -'.cjs'.length)}')`
    },
  }
}

/** A module that looks for files beside itself finds them below `dist`, under the name of its own folder. */
function keepFolders(root: string): Plugin {
  return {
    name: 'keep-folders',
    transform: {
      filter: { id: { exclude: /node_modules/ }, code: 'import.meta.dirname' },
      handler(code, id) {
        const folder = relative(root, dirname(id))
        return { code: code.replaceAll('import.meta.dirname', `(import.meta.dirname + '/${folder}')`), map: null }
      },
    },
  }
}
