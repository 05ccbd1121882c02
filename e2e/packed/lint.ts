import { basename } from 'node:path'
import { run } from './projects.ts'
import type { Cell } from './table.ts'

/** Public tools that judge a package. Node 24 runs neither of them. */
export function lint(tarballs: readonly string[], node: string, bin: (path: string) => string): Cell[] {
  const tools = {
    'publint --strict': [bin('publint/src/cli.js'), '--strict'],
    // The oldest resolution, node10, knows no sub-paths; TypeScript 7 has dropped it.
    attw: [bin('@arethetypeswrong/cli/dist/index.js'), '--profile', 'node16'],
  }
  return tarballs.flatMap((tarball) =>
    Object.entries(tools).map(([column, words]) => ({
      row: basename(tarball).replace(/^product-events-(\w+)-.*/, '$1'),
      column,
      run: async () => {
        await run(node, [...words, tarball])
        return 'clean'
      },
    })),
  )
}
