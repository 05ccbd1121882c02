/** `npm run fuzz`: hostile input on every surface, on a PostgreSQL, an SQS and both services of its own. */
import { randomInt } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, startPostgres, startSqs } from '@product-events/local'
import { memoryMb } from '../ground.ts'
import { readOptions } from '../options.ts'
import { startFuzzGround } from './ground.ts'
import { runSurfaces, shareOf, tellSurface } from './run.ts'
import { surfaces } from './surface.ts'

/** Memory that the second half of a run may cost each service: buffers and caches settle within the first. */
const MAX_GROWTH_MB = 60
/** A line now and then. */
const REPORT_EVERY = 1_000

const { steps, seed, surface } = readOptions({
  name: 'npm run fuzz --',
  version: '1.0.0',
  summary: 'hostile input on every surface, on a PostgreSQL, an SQS and both services of its own',
  more: `Surfaces: http, requests by the OpenAPI document and against it; queue, messages that no product-service sends; writers,
rows of the outbox, written by SQL; receivers, what the receiver of a webhook may answer.

Exit code 1 after an answer of 5xx, one that the document does not describe, a success that the database does not bear
out, a lost message, a good message or event that was held up, a next request that was slow, or memory that grew.`,
  options: {
    steps: { value: 'n', whole: [1, 999_999_999], default: 10_000, help: 'how many hostile inputs in all' },
    seed: {
      value: 'n',
      whole: [0, 999_999_999],
      default: randomInt(1_000_000),
      help: 'the same seed makes the same input',
    },
    surface: {
      value: 'name',
      oneOf: [...surfaces, 'all'],
      default: 'all',
      help: 'one of them, or most steps for http',
    },
  },
})
const chosen = surfaces.filter((name) => surface === 'all' || surface === name)
process.exitCode = await main(steps, seed)

async function main(steps: number, seed: number): Promise<number> {
  say(`${steps} steps, seed ${seed}`)
  await using opened = new AsyncDisposableStack()
  const server = await startServers(opened)
  const { target, receivers, stop } = await startFuzzGround(server)
  opened.defer(stop)
  const memory: number[] = []
  const violations: string[] = []
  for (const surface of chosen) {
    const share = chosen.length === 1 ? steps : Math.max(1, Math.round(steps * shareOf[surface]))
    const result = await runSurfaces[surface](receivers, {
      target,
      steps: share,
      seed,
      async onProgress(done) {
        memory.push((await memoryMb(target.products)) + (await memoryMb(target.notifications)))
        if (done % REPORT_EVERY === 0) say(`  ${surface}: ${done} of ${share}, ${memory.at(-1)} MB`)
      },
    })
    say(tellSurface(surface, result))
    violations.push(...result.violations.map((violation) => `${surface}: ${violation}`))
  }
  const [half = 0, last = 0] = [memory[Math.floor(memory.length / 2)], memory.at(-1)]
  say(`memory of both services: ${half} MB half-way, ${last} MB at the end`)
  if (last - half > 2 * MAX_GROWTH_MB) violations.push(`memory grew from ${half} to ${last} MB in the second half`)
  for (const violation of violations.slice(0, 10)) say(`VIOLATION ${violation}`)
  say(
    violations.length === 0 ? 'nothing wrong' : `${violations.length} violations; --seed ${seed} makes the same input`,
  )
  return violations.length === 0 ? 0 : 1
}

async function startServers(opened: AsyncDisposableStack): Promise<{ postgresUrl: string; sqsEndpoint: string }> {
  // Not below os.tmpdir(): it may be one that only its owner can enter, and PostgreSQL may run as another user.
  const dir = await mkdtemp('/tmp/product-events-fuzz-')
  opened.defer(() => rm(dir, { recursive: true, force: true }))
  await chmod(dir, 0o755)
  const postgres = await startPostgres({ dataDir: join(dir, 'postgres'), port: await freePort() })
  opened.defer(() => postgres.stop())
  const sqs = await startSqs({ port: await freePort() })
  opened.defer(() => sqs.stop())
  return { postgresUrl: postgres.url, sqsEndpoint: sqs.endpoint }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
