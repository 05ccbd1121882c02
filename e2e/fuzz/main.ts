/** `npm run fuzz -- --requests 100000 [--seed n]`: see fuzz. On a PostgreSQL, an SQS and a product-service of its own. */
import { randomInt } from 'node:crypto'
import { startGround } from '../ground.ts'
import { readOptions } from '../options.ts'
import { fuzz } from './run.ts'

/** Memory that the second half of a run may cost: buffers and caches settle within the first. */
const MAX_GROWTH_MB = 60
/** A line now and then. */
const REPORT_EVERY = 5_000

const { requests, seed } = readOptions({
  name: 'npm run fuzz --',
  version: '1.0.0',
  summary: 'requests made from the OpenAPI document, valid and broken',
  more: `Exit code 1 after an answer of 5xx, one that the document does not describe, one that did not come, a success that the
database does not bear out, or memory that grew.`,
  options: {
    requests: { value: 'n', whole: [1, 999_999_999], default: 10_000, help: 'how many' },
    seed: {
      value: 'n',
      whole: [0, 999_999_999],
      default: randomInt(1_000_000),
      help: 'the same seed makes the same requests',
    },
  },
})
process.exitCode = await main()

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
