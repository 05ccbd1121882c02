/** `npm run model`: checks the relay protocol, and that the check notices each missing rule. See `--help`. */
import { availableParallelism } from 'node:os'
import { readProgram, runProcess, table, type Terminal, UsageError } from '@product-events/terminal'
import { check, type Found, hasChecker } from './check.ts'
import { type Configuration, configurations } from './configurations.ts'
import { limits, type Variant, variants } from './variants.ts'

const program = {
  name: 'model',
  version: '1.0.0',
  summary: 'Check the relay protocol in every order of its steps and faults (Promela, Spin).',
  more: `Without options all of it is checked, in less than ten minutes: each configuration must keep every promise, each variant (the protocol with
one rule removed) must break its promise, and each documented limit must still be there. Requires spin and gcc
(Debian: apt-get install spin gcc). model/README.md explains the model.`,
  options: {
    config: { value: 'name', oneOf: configurations.map(({ name }) => name), help: 'check this configuration only' },
    variant: {
      value: 'name',
      oneOf: [...variants, ...limits].map(({ name }) => name),
      help: 'check this variant or limit only',
    },
  },
} as const

await runProcess(program.name, main)

async function main({ args, stdout, stderr, signal, progress }: Terminal): Promise<number> {
  const line = readProgram(program, args)
  if (line.kind === 'print') {
    stdout(line.text)
    return 0
  }
  const { config, variant } = line.options
  if (config !== undefined && variant !== undefined) throw new UsageError('--config and --variant exclude each other')
  if (!hasChecker()) throw new Error('spin or gcc is not installed. Debian: apt-get install spin gcc')
  const all = config === undefined && variant === undefined
  const configs = configurations.filter(({ name }) => all || name === config)
  const altered = [...variants, ...limits].filter(({ name }) => all || name === variant)
  const failures: string[] = []
  let done = 0
  const finished = (failure: string | undefined) => {
    if (failure !== undefined) failures.push(failure)
    progress.now(`${++done} of ${configs.length + altered.length} checks are done`)
  }
  // Waits for all of them, also after one was interrupted: none of their processes may outlive this one.
  const checked = await inTurns(configs, async (configuration) => {
    const found = await check(configuration.defines, configuration.liveness ? 'all runs' : 'all states', signal)
    finished(found.trace && `${configuration.name} breaks a promise:\n${numbered(found)}`)
    return { configuration, found }
  })
  const varied = await inTurns(altered, async (one) => {
    const found = await check(one.defines, searchOf(one), signal)
    finished(found.trace?.breaks === one.breaks ? undefined : `${one.name} does not break "${one.breaks}"`)
    return { variant: one, found }
  })
  progress.end()
  if (signal.aborted) return 130
  report(stdout, checked, varied)
  for (const failure of failures) stderr(`model: ${failure}\n`)
  return failures.length === 0 ? 0 : 1
}

function searchOf({ breaks }: Variant): 'short cycle' | 'shortest trace' {
  return breaks === 'every pending event leaves' ? 'short cycle' : 'shortest trace'
}

/** As many at once as there are processors, in the order of `items`. */
async function inTurns<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  const waiting = items.entries()
  const turn = async () => {
    for (const [index, item] of waiting) results[index] = await work(item)
  }
  const turns = await Promise.allSettled(Array.from({ length: availableParallelism() }, turn))
  const failed = turns.find((one) => one.status === 'rejected')
  if (failed) throw failed.reason
  return results
}

function report(
  stdout: (text: string) => void,
  checked: { configuration: Configuration; found: Found }[],
  varied: { variant: Variant; found: Found }[],
): void {
  for (const { variant, found } of varied)
    stdout(`${variant.name}: ${variant.about}. Breaks "${variant.breaks}":\n${numbered(found)}\n`)
  if (checked.length > 0) {
    const rows = checked.map(({ configuration: { name, liveness }, found }) => {
      const promises = liveness ? 'all, and every event leaves' : 'all but "leaves"'
      const { states, depth, seconds, memoryMb, trace } = found
      return [name, promises, states, depth, seconds.toFixed(1), memoryMb, trace ? 'BROKEN' : 'hold']
    })
    stdout(`${table(['configuration', 'promises', 'states', 'depth', 'seconds', 'MB', ''], rows)}\n`)
  }
  if (varied.length > 0) {
    const rows = varied.map(({ variant, found: { states, trace } }) => {
      const kind = limits.includes(variant) ? 'limit' : 'variant'
      return [variant.name, variant.breaks, states, trace?.sentences.length ?? 'NOT FOUND', kind]
    })
    stdout(table(['rule removed', 'promise that breaks', 'states', 'steps', ''], rows))
  }
}

function numbered({ trace }: Found): string {
  return (trace?.sentences ?? []).map((sentence, index) => `${String(index + 1).padStart(4)}. ${sentence}\n`).join('')
}
