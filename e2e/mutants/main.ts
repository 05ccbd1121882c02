/** `npm run mutants`: breaks the core in many small ways, one at a time, and counts how many its tests notice. */
import { readOptions } from '../options.ts'
import { mutants, survivors } from './list.ts'
import { mutate } from './mutant.ts'
import { openWorkshop } from './workshop.ts'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { repositoryRoot } from '../rolling/root.ts'

/** Of all mutants, survivors with their reasons included. */
const LEAST_KILLED = 0.9

const { only } = readOptions({
  name: 'npm run mutants --',
  version: '1.0.0',
  summary: 'break outbox, inbox, batcher, access and idempotency in small ways, and see which the tests notice',
  more: `The list is in e2e/mutants/list.ts. Exit code 1 if fewer than ${LEAST_KILLED * 100} % are killed, if one survives that is not explained
there, or if one no longer fits the code.`,
  options: { only: { value: 'text', help: 'mutants whose file or description contains this' } },
})
process.exitCode = await main()

async function main(): Promise<number> {
  const chosen = mutants.filter(({ file, what }) => only === undefined || `${file} ${what}`.includes(only))
  const workshop = await openWorkshop()
  try {
    say(`${chosen.length} mutants; first their tests on the code as it is`)
    const tests = [...new Set(chosen.flatMap((mutant) => mutant.tests))]
    const failure = await workshop.failureOf(tests)
    if (failure !== undefined) {
      say(`${failure}\nthe tests do not pass without a mutant: nothing was tried`)
      return 1
    }
    let killed = 0
    const faults: string[] = []
    for (const [index, mutant] of chosen.entries()) {
      const verdict = await workshop.judge(mutant)
      const name = `${mutant.file}: ${mutant.what}`
      const seconds = 'seconds' in verdict ? ` (${verdict.seconds.toFixed(0)} s)` : ''
      say(`${String(index + 1).padStart(3)} ${verdict.kind.padEnd(9)} ${name}${seconds}`)
      if (verdict.kind === 'killed') killed++
      if (verdict.kind === 'survived') faults.push(`survived: ${name}`)
      if (verdict.kind === 'not found') faults.push(`stands ${verdict.times} times in the code, not once: ${name}`)
    }
    faults.push(...(await outdatedSurvivors()))
    const all = chosen.length + (only === undefined ? survivors.length : 0)
    say(`${killed} of ${all} killed (${((100 * killed) / all).toFixed(0)} %), ${survivors.length} explained survivors`)
    for (const fault of faults) say(fault)
    return faults.length === 0 && killed / all >= LEAST_KILLED ? 0 : 1
  } finally {
    await workshop.remove()
  }
}

async function outdatedSurvivors(): Promise<string[]> {
  const faults = await Promise.all(
    survivors.map(async (survivor) => {
      const source = await readFile(join(repositoryRoot, survivor.file), 'utf8').catch(() => '')
      return typeof mutate(source, survivor) === 'number' ? [`no longer in the code: ${survivor.what}`] : []
    }),
  )
  return faults.flat()
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
