/** `npm run fuzz -- --requests 100000 [--seed n]`: see fuzz. On a PostgreSQL, an SQS and a product-service of its own. */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { startGround } from '../ground.ts'
import { fuzz } from './run.ts'

/** Memory that the second half of a run may cost: buffers and caches settle within the first. */
const MAX_GROWTH_MB = 60
/** A line now and then. */
const REPORT_EVERY = 5_000

const { values } = parseArgs({ options: { requests: { type: 'string' }, seed: { type: 'string' } } })
const requests = numberOf('requests', values.requests ?? '10000')
const seed = numberOf('seed', values.seed ?? String(randomInt(2 ** 31)))
process.exitCode = await main()

function numberOf(name: string, text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text))
    throw new Error(`--${name} must be a whole number from 1 to 999999999, not ${text}`)
  return Number(text)
}

async function main(): Promise<number> {
  say(`${requests} requests, seed ${seed}`)
  const ground = await startGround()
  try {
    const started = performance.now()
    const memory: number[] = []
    const { sent, counts, violations } = await fuzz({
      url: ground.products.url,
      pool: ground.pool,
      requests,
      seed,
      async onRound(sent) {
        memory.push(await ground.memoryMb())
        if (sent % REPORT_EVERY === 0) say(`${sent} sent, ${memory.at(-1)} MB`)
      },
    })
    const seconds = (performance.now() - started) / 1000
    const [half = 0, last = 0] = [memory[Math.floor(memory.length / 2)], memory.at(-1)]
    if (last - half > MAX_GROWTH_MB) violations.push(`memory grew from ${half} to ${last} MB in the second half`)
    say(`${sent} requests in ${seconds.toFixed(0)} s (${(sent / seconds).toFixed(0)} a second), seed ${seed}`)
    for (const [status, count] of Object.entries(counts)) say(`  ${status.padEnd(5)} ${count}`)
    say(`memory: ${half} MB half-way, ${last} MB at the end`)
    for (const violation of violations.slice(0, 10)) say(`VIOLATION ${violation}`)
    say(
      violations.length === 0
        ? 'nothing wrong'
        : `${violations.length} violations; --seed ${seed} makes the same requests`,
    )
    return violations.length === 0 ? 0 : 1
  } finally {
    await ground.stop()
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
