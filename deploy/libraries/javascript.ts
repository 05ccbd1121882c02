import { join } from 'node:path'
import { rolldown, type RolldownOptions } from 'rolldown'
import type { Library } from './library.ts'

/** The oldest Node that the packages promise, in their `engines`. */
const target = 'node20.19'

/**
 * Writes the modules of a library into `dist`, as ES modules and as CommonJS, and its programs as ES modules. The code
 * that our packages share is inlined; packages from npm stay imports.
 */
export async function buildJavaScript({ folder, modules, programs }: Library): Promise<void> {
  const dir = join(folder, 'dist')
  await bundle(modules, { dir, format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: '[name]-[hash].cjs' })
  // Programs share their modules with the library: one copy of the code.
  const all = { ...modules, ...programs }
  await bundle(all, { dir, format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' })
}

interface Output {
  dir: string
  format: 'cjs' | 'esm'
  entryFileNames: string
  chunkFileNames: string
}

async function bundle(input: Record<string, string>, output: Output): Promise<void> {
  const options: RolldownOptions = {
    input,
    platform: 'node',
    external: (id) => /^[^./\0]/.test(id) && !id.startsWith('@product-events/'),
    transform: { target },
    checks: { bundlerTimings: false },
    onLog(level, log, handle) {
      if (level === 'warn') throw new Error(log.message)
      handle(level, log)
    },
  }
  const build = await rolldown(options)
  // A dynamic import of a CommonJS module fails in Jest; `require` of a peer works everywhere.
  await build.write({ ...output, dynamicImportInCjs: false })
  await build.close()
}
