import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { linkPackages } from '../rolling/release.ts'
import { repositoryRoot } from '../rolling/root.ts'
import { type Mutant, mutate, type Verdict } from './mutant.ts'

const run = promisify(execFile)
/** A mutant may make a test wait for ever. */
const TEST_TIMEOUT_MS = 180_000

/** A copy of the repository in which code is broken and mended again. */
export interface Workshop {
  /** Whether these tests pass on the code as it is, however long they take. */
  passes(tests: readonly string[]): Promise<boolean>
  judge(mutant: Mutant): Promise<Verdict>
  remove(): Promise<void>
}

export async function openWorkshop(): Promise<Workshop> {
  const dir = await mkdtemp(join(tmpdir(), 'mutants-'))
  const { stdout } = await run('git', ['ls-files', '-co', '--exclude-standard'], { cwd: repositoryRoot })
  for (const file of stdout.trim().split('\n')) {
    await mkdir(dirname(join(dir, file)), { recursive: true })
    await cp(join(repositoryRoot, file), join(dir, file)).catch(() => {}) // deleted, and not committed yet
  }
  await linkPackages(dir)

  async function passes(tests: readonly string[], timeoutMs?: number): Promise<boolean> {
    const vitest = join(repositoryRoot, 'node_modules/vitest/vitest.mjs')
    const child = spawn(process.execPath, [vitest, 'run', '--bail', '1', ...tests], {
      cwd: dir,
      stdio: 'ignore',
      detached: true,
    })
    const timer = timeoutMs && setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), timeoutMs)
    const [code] = (await once(child, 'exit')) as [number | null]
    clearTimeout(timer)
    return code === 0
  }

  return {
    passes,
    async judge(mutant) {
      const path = join(dir, mutant.file)
      const source = await readFile(path, 'utf8')
      const mutated = mutate(source, mutant)
      if (typeof mutated === 'number') return { kind: 'not found', times: mutated }
      const started = performance.now()
      await writeFile(path, mutated)
      const survived = await passes(mutant.tests, TEST_TIMEOUT_MS)
      await writeFile(path, source)
      return { kind: survived ? 'survived' : 'killed', seconds: (performance.now() - started) / 1000 }
    },
    remove: () => rm(dir, { recursive: true, force: true }),
  }
}
