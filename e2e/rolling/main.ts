/** `npm run test:rolling`: replaces every process in turn under load, by this version and by the previous release. */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, startPostgres, startSqs } from '@product-events/local'
import { readOptions } from '../options.ts'
import { checkOutRelease, type Release } from './release.ts'
import { roll } from './rolling.ts'
import { SLOW_MS } from './slow.ts'

/** Release 1.0.0, before releases had tags. */
const FIRST_RELEASE = '491a6efba757fbf9c61937fd6b42dd7819ea8494'

const { previous } = readOptions({
  name: 'npm run test:rolling --',
  version: '1.0.0',
  summary: 'replace every process in turn under steady writes and reads, and count what suffers',
  more: `Three product-services, two relays and two notification-services behind balancers: each process is replaced in turn by the
same version, then from the previous release to this version and back, migrations included.

Exit code 1 after a failed request, a lost event, or an event that was notified twice.`,
  options: {
    previous: {
      value: 'ref',
      default: FIRST_RELEASE,
      help: 'the release to come from and to return to: a tag or a commit',
    },
  },
})
process.exitCode = await main(previous)

async function main(previous: string): Promise<number> {
  await using opened = new AsyncDisposableStack()
  const dir = await mkdtemp('/tmp/product-events-rolling-')
  opened.defer(() => rm(dir, { recursive: true, force: true }))
  await chmod(dir, 0o755) // PostgreSQL may run as another user
  const settings = { max_connections: '300' }
  const postgres = await startPostgres({ dataDir: join(dir, 'postgres'), port: await freePort(), settings })
  opened.defer(() => postgres.stop())
  const sqs = await startSqs({ port: await freePort() })
  opened.defer(() => sqs.stop())
  const before = await checkOutRelease(previous)
  opened.defer(before.remove)
  const server = { postgresUrl: postgres.url, sqsEndpoint: sqs.endpoint }
  const same = await rollOnce('the same version', server, [undefined, undefined])
  const both = await rollOnce(`${previous} → this version → ${previous}`, server, [before, undefined, before])
  return same && both ? 0 : 1
}

async function rollOnce(
  what: string,
  server: { postgresUrl: string; sqsEndpoint: string },
  releases: (Release | undefined)[],
): Promise<boolean> {
  say(what)
  const { calls, failed, changes, events, lost, doubled, delayMs, phases, errors } = await roll({
    server,
    releases,
    say,
  })
  say(
    `  ${calls} calls, ${failed.length} failed; ${changes} changes, ${events} events, lost ${lost}, doubled ${doubled}`,
  )
  say(`  change to notification: p50 ${delayMs.p50} ms, p99 ${delayMs.p99} ms, max ${delayMs.max} ms`)
  say(`  longer than ${SLOW_MS} ms:`)
  for (const { phase, deliveries, slow, waitedFor, longestMs } of phases) {
    const waits = Object.entries(waitedFor).map(([stage, count]) => `${stage} ${count}`)
    say(`    ${slow} of ${deliveries}, waited for ${waits.join(', ')}, max ${longestMs} ms: ${phase}`)
  }
  for (const failure of failed.slice(0, 5)) say(`  FAILED ${failure}`)
  for (const error of errors.slice(0, 5)) say(`  logged ${JSON.stringify(error)}`)
  return failed.length === 0 && lost === 0 && doubled === 0
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
