import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root, run } from './projects.ts'
import type { Cell } from './table.ts'

/** By the way that a project resolves modules: what its tsconfig.json says. */
const resolutions = {
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  node16: { module: 'node16', moduleResolution: 'node16' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
}

/**
 * Compiles `program/types.mts` in a project that has the libraries, as an ES module and, where a resolution has it, as
 * CommonJS.
 */
export function compileTypes(project: string, bin: (path: string) => string): Cell[] {
  const compilers = {
    'TypeScript 5.4': bin('typescript54/bin/tsc'),
    'TypeScript 5.9': bin('typescript59/bin/tsc'),
    'TypeScript 6.0': bin('typescript60/bin/tsc'),
    'TypeScript 7.0': join(root, 'node_modules/typescript/bin/tsc'),
  }
  return Object.entries(resolutions).flatMap(([row, options]) =>
    Object.entries(compilers).map(([column, tsc]) => ({
      row,
      column,
      run: async () => {
        const folder = join(project, `${row}-${column.replace(/\W/g, '-')}`)
        await mkdir(folder)
        const names = row === 'bundler' ? ['types.ts'] : ['types.mts', 'types.cts']
        for (const name of names) await copyFile(join(import.meta.dirname, 'program/types.mts'), join(folder, name))
        const compilerOptions = {
          ...options,
          target: 'es2022',
          lib: ['es2022'],
          types: ['node'],
          strict: true,
          noEmit: true,
          skipLibCheck: false,
        }
        await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: names }))
        const foreign = await compile(tsc, folder)
        return foreign.length === 0 ? 'compiles' : `but ${foreign.join()}`
      },
    })),
  )
}

/**
 * Rejects when `tsc` finds an error in the program or in a declaration of ours. Resolves with the packages of others in
 * whose declarations it finds one: those of pg-protocol ask for TypeScript 5.7, for example.
 */
async function compile(tsc: string, folder: string): Promise<string[]> {
  const output = await run(process.execPath, [tsc, '-p', folder]).then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout || 'no output',
  )
  const errors = output.split('\n').filter((line) => /error TS/.test(line) || line === 'no output')
  const foreign = errors.map((line) => /^\S*node_modules\/(?!@product-events)((?:@[^/]+\/)?[^/]+)/.exec(line)?.[1])
  if (foreign.includes(undefined)) throw new Error(output)
  return [...new Set(foreign.map(String))]
}
