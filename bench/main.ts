/** `npm run bench [-- scenario…] [--quick] [--rounds n]`: see `--help`. */
import { glob } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { circumstances, keep, type Result } from './results.ts'
import { runScenario } from './run-scenario.ts'
import type { Scenario } from './scenario.ts'
import { toTable } from './table.ts'

/** Fewer do not show how much a figure varies. */
const ROUNDS = 5
/** Once through everything is what two minutes are enough for. */
const QUICK_ROUNDS = 1
const QUICK_MINUTES = 2

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean' }, rounds: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
})
const quick = values.quick ?? false
const rounds = Number(values.rounds ?? (quick ? QUICK_ROUNDS : ROUNDS))
const scenarios = await loadScenarios()

if (values.help) printHelp()
else {
  const unknown = positionals.filter((name) => !scenarios.some((scenario) => scenario.name === name))
  if (unknown.length > 0) fail(`there is no scenario ${unknown.join(', ')}`)
  if (!Number.isInteger(rounds) || rounds < 1) fail(`--rounds must be a whole number above 0, not "${values.rounds}"`)
  await run(positionals.length > 0 ? scenarios.filter(({ name }) => positionals.includes(name)) : scenarios)
}

async function run(chosen: Scenario[]): Promise<void> {
  const stopping = stopOnSignal()
  const minutes = expectedMinutes(chosen)
  const until = new Date(Date.now() + minutes * 60_000).toTimeString().slice(0, 5)
  console.error(`${chosen.map(({ name }) => name).join(', ')}, rounds: ${rounds}: about ${minutes} min, until ${until}`)
  const result: Result = { ...(await circumstances()), rounds, quick, results: {} }
  for (const [index, { name, title }] of chosen.entries()) {
    const place = `${name}, ${index + 1} of ${chosen.length}`
    const say = (progress: string) => console.error(`${new Date().toTimeString().slice(0, 8)} [${place}] ${progress}`)
    say('preparing')
    const outcome = await runScenario({ name, title, rounds, quick }, say, stopping).catch((error: Error) => {
      if (!stopping.aborted) throw error
    })
    if (outcome === undefined) break
    result.results[name] = outcome
    // After each of them: what has been measured is kept, whatever becomes of the next.
    const file = await keep(result)
    const shown = 'failed' in outcome ? `failed: ${outcome.failed}` : toTable(outcome)
    console.log(`\n## ${name}: ${title}\n\n${shown}\n\nkept in bench/results/${file}\n`)
  }
  const failed = Object.entries(result.results).filter(([, outcome]) => 'failed' in outcome)
  for (const [name] of failed) console.error(`${name} failed; the others are kept`)
  process.exitCode = stopping.aborted ? 130 : failed.length > 0 ? 1 : 0
}

/** Aborts on Ctrl-C, so that the scenario under way closes what it has open. A second one ends at once. */
function stopOnSignal(): AbortSignal {
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping.signal.aborted) process.exit(130)
      console.error('stopping; what is measured is kept')
      stopping.abort()
    })
  }
  return stopping.signal
}

function expectedMinutes(chosen: Scenario[]): number {
  if (quick && values.rounds === undefined) return QUICK_MINUTES
  return Math.ceil(chosen.reduce((sum, { seconds }) => sum + seconds.prepare + rounds * seconds.round, 0) / 60)
}

async function loadScenarios(): Promise<Scenario[]> {
  const loaded: Scenario[] = []
  for await (const file of glob('scenarios/*.ts', { cwd: import.meta.dirname })) {
    const { scenario } = (await import(`./${file}`)) as { scenario: Scenario }
    loaded.push(scenario)
  }
  return loaded.toSorted((a, b) => a.name.localeCompare(b.name))
}

function printHelp(): void {
  console.log(`npm run bench [-- [scenario…] [--quick] [--rounds n]]

Contestants take turns (A B A B …) for ${ROUNDS} rounds; figures are median (min–max) and, in bold, ours divided by this.
Nothing needs to run beforehand, and nothing is left behind. Results are kept in bench/results/ after each scenario.
All of it takes about ${expectedMinutes(scenarios)} minutes.

  --quick      small and once, under two minutes: for a look, not for a claim
  --rounds n   this many rounds

Scenarios:
${scenarios.map(({ name, title }) => `  ${name.padEnd(10)} ${title}`).join('\n')}

Peers (graphile-worker and others) are installed by npm run bench:peers, tables and charts made by npm run bench:report`)
}

function fail(message: string): never {
  console.error(`${message}; see npm run bench -- --help`)
  process.exit(2)
}
