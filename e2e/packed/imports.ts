import { run } from './projects.ts'
import type { Cell } from './table.ts'

/** Promised, and ten times as much for a busy machine. */
const MAX_MS = 100 * 10
const MAX_MB = 10

const program = (name: string) => `
  import { registerHooks } from 'node:module'
  let modules = 0
  registerHooks({ load: (url, context, next) => (modules += url.startsWith('file:') ? 1 : 0, next(url, context)) })
  globalThis.gc()
  const [memory, since] = [process.memoryUsage().rss, performance.now()]
  await import(${JSON.stringify(name)})
  const ms = performance.now() - since
  console.log(JSON.stringify({ ms, mb: (process.memoryUsage().rss - memory) / 2 ** 20, modules }))`

/** What loading the core of a library costs, in a project that installed it. */
export function measureImports(project: string): Cell[] {
  return ['outbox', 'inbox'].map((row) => ({
    row,
    column: 'import',
    run: async () => {
      const words = ['--expose-gc', '--input-type=module', '--eval', program(`@product-events/${row}`)]
      const { stdout } = await run(process.execPath, words, { cwd: project })
      const { ms, mb, modules } = JSON.parse(stdout) as { ms: number; mb: number; modules: number }
      const text = `${ms.toFixed(0)} ms, ${mb.toFixed(1)} MB, ${modules} modules`
      if (ms > MAX_MS || mb > MAX_MB) throw new Error(`${text}: more than ${MAX_MS} ms or ${MAX_MB} MB`)
      return text
    },
  }))
}
