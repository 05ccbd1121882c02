/** `npm run bench [-- scenario…] [--quick] [--rounds n]`: see `--help`. */
import { execFileSync } from 'node:child_process'
import { glob, mkdir, writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { compare, type Comparison } from './compare.ts'
import type { Scenario } from './scenario.ts'
import { toTable } from './table.ts'

/** Fewer do not show how much a figure varies. */
const ROUNDS = 5
const QUICK_ROUNDS = 2

const here = import.meta.dirname
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean' }, rounds: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
})
const scenarios = await loadScenarios()
if (values.help) {
  printHelp()
} else {
  const unknown = positionals.filter((name) => !scenarios.some((scenario) => scenario.name === name))
  const rounds = Number(values.rounds ?? (values.quick ? QUICK_ROUNDS : ROUNDS))
  if (unknown.length > 0) fail(`there is no scenario ${unknown.join(', ')}`)
  if (!Number.isInteger(rounds) || rounds < 1) fail(`--rounds must be a whole number above 0, not "${values.rounds}"`)
  await run(rounds)
}

async function run(rounds: number): Promise<void> {
  const chosen = positionals.length > 0 ? scenarios.filter(({ name }) => positionals.includes(name)) : scenarios
  const results: Record<string, Comparison> = {}
  for (const scenario of chosen) {
    const say = (progress: string) => process.stderr.write(`[${scenario.name}] ${progress}\n`)
    say('preparing')
    const arena = await scenario.open({ quick: values.quick ?? false, say })
    try {
      results[scenario.name] = await compare(arena, rounds, say)
    } finally {
      await arena.close()
    }
    console.log(`\n## ${scenario.name}: ${scenario.title}\n\n${toTable(results[scenario.name]!)}\n`)
  }
  await keep({ ...circumstances(), rounds, quick: values.quick ?? false, results })
}

async function loadScenarios(): Promise<Scenario[]> {
  const loaded: Scenario[] = []
  for await (const file of glob('scenarios/*.ts', { cwd: here })) {
    const { scenario } = (await import(`./${file}`)) as { scenario: Scenario }
    loaded.push(scenario)
  }
  return loaded.toSorted((a, b) => a.name.localeCompare(b.name))
}

/** Results are kept with what is needed to judge them: a figure without its machine says nothing. */
async function keep(result: ReturnType<typeof circumstances> & Record<string, unknown>): Promise<void> {
  const file = `${here}/results/${result.date.slice(0, 16).replaceAll(':', '')}-${result.commit}.json`
  await mkdir(`${here}/results`, { recursive: true })
  await writeFile(file, JSON.stringify(result, null, 2) + '\n')
  console.log(`kept in bench/results/${file.split('/').at(-1)}`)
}

function circumstances(): { date: string; commit: string; machine: string; node: string } {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: here, encoding: 'utf8' }).trim()
  const changed = git('status', '--porcelain', '--untracked-files=no') !== ''
  return {
    date: new Date().toISOString(),
    commit: git('rev-parse', '--short', 'HEAD') + (changed ? '-changed' : ''),
    machine: `${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
  }
}

function printHelp(): void {
  console.log(`npm run bench [-- [scenario…] [--quick] [--rounds n]]

Contestants take turns (A B A B …) for ${ROUNDS} rounds; figures are median (min–max) and the ratio of ours to each.
Nothing needs to run beforehand. Results are kept in bench/results/.

  --quick      fewer and smaller rounds: for a look, not for a claim
  --rounds n   this many rounds

Scenarios:
${scenarios.map(({ name, title }) => `  ${name.padEnd(10)} ${title}`).join('\n')}

Peers (graphile-worker and others) are installed by: npm run bench:peers`)
}

function fail(message: string): never {
  console.error(`${message}; see npm run bench -- --help`)
  process.exit(2)
}
