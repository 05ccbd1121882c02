import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { promisify } from 'node:util'
import { type Library, root } from './library.ts'

/**
 * Makes the declarations of a library with `tsc` and writes those that can be reached from a published module into
 * `dist`: `.d.ts` for ES modules, `.d.cts` for CommonJS. Rejects when a public type comes from code outside the
 * library, or from a package that its users are not told to install.
 */
export async function buildDeclarations(library: Library): Promise<void> {
  const emitted = await mkdtemp(join(tmpdir(), 'declarations-'))
  try {
    await runTsc(library, emitted)
    await copyReachable(library, emitted)
    await nameModules(library)
  } finally {
    await rm(emitted, { recursive: true })
  }
}

/** `tsc` looks for packages from its project file on, and takes the list of files from there. */
async function runTsc({ folder, modules }: Library, outDir: string): Promise<void> {
  const project = join(folder, 'dist/tsconfig.json')
  const config = { extends: join(import.meta.dirname, 'tsconfig.json'), files: Object.values(modules) }
  await writeFile(project, JSON.stringify({ ...config, compilerOptions: { outDir } }))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  await promisify(execFile)(process.execPath, [tsc, '-p', project]).catch((error: unknown) => {
    throw new Error(`tsc: ${(error as { stdout: string }).stdout}`)
  })
  await rm(project)
}

const SPECIFIER = /(\bfrom |\bimport\()(['"])([^'"]+)\2/g

async function copyReachable({ folder, manifest, modules }: Library, emitted: string): Promise<void> {
  const peers = Object.keys(manifest.peerDependencies)
  const home = join(emitted, relative(root, folder))
  const queue = Object.values(modules).map((file) => join(home, relative(folder, file)))
  const seen = new Set(queue)
  for (const module of queue) {
    const name = relative(home, module)
    if (name.startsWith('..')) throw new Error(`${basename(folder)}: a public type comes from ${name}`)
    const source = (await readFile(module.replace(/\.ts$/, '.d.ts'), 'utf8')).replace(/^#!.*\n/, '')
    for (const [, , , specifier = ''] of source.matchAll(SPECIFIER)) {
      const next = resolve(dirname(module), specifier)
      if (specifier.startsWith('.') && !seen.has(next)) queue.push(seen.add(next) && next)
      if (!specifier.startsWith('.') && !peers.some((peer) => specifier === peer || specifier.startsWith(`${peer}/`)))
        throw new Error(`${basename(folder)}: a public type of ${name} comes from ${specifier}`)
    }
    const of = (extension: string) =>
      source.replaceAll(SPECIFIER, (text) => text.replace(/\.ts(['"])$/, `${extension}$1`))
    const target = join(folder, 'dist', name.replace(/\.ts$/, ''))
    await mkdir(dirname(target), { recursive: true })
    await writeFile(`${target}.d.ts`, of('.js'))
    await writeFile(`${target}.d.cts`, of('.cjs'))
  }
}

/** A sub-path may be called otherwise than its file. */
async function nameModules({ folder, modules }: Library): Promise<void> {
  for (const [name, file] of Object.entries(modules)) {
    const path = relative(folder, file).replace(/\.ts$/, '')
    if (path === name) continue
    await writeFile(join(folder, 'dist', `${name}.d.ts`), `export * from './${path}.js'\n`)
    await writeFile(join(folder, 'dist', `${name}.d.cts`), `export * from './${path}.cjs'\n`)
  }
}
