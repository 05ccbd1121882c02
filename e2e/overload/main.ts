/** `npm run overload -- [--seconds 60]`: see overload. On a PostgreSQL, an SQS and a product-service of its own. */
import { startGround } from '../ground.ts'
import { readOptions } from '../options.ts'
import { overload, type Speed } from './overload.ts'
import { MAX_PEAK_MB, verdict } from './verdict.ts'

const { seconds } = readOptions({
  name: 'npm run overload --',
  version: '1.0.0',
  summary:
    'ten times as many requests as the machine can answer; fails if one that was accepted is lost, memory passes\nits bound, or speed does not come back (e2e/overload/verdict.ts has the bounds)',
  options: { seconds: { value: 'n', whole: [1, 86_400], default: 60, help: 'how long' } },
})

const ground = await startGround()
try {
  say(`flooding for ${seconds} s`)
  const { port } = new URL(ground.products.url)
  const { pool, memoryMb } = ground
  const result = await overload({ port: Number(port), pool, seconds, calmSeconds: 5, memoryMb })
  show('before', result.before)
  show('during', result.during)
  show('5 s after', result.after)
  say(`flood: ${result.during.answersPerSecond} answers a second, ${JSON.stringify(result.during.counts)}`)
  say(`memory: ${result.peakMb} MB at most, ${MAX_PEAK_MB} allowed`)
  say(`accepted: ${result.accepted}, lost: ${result.lost}`)
  const faults = verdict(result)
  for (const fault of faults) say(`FAULT ${fault}`)
  say(faults.length === 0 ? 'all promises kept' : 'not all promises kept')
  process.exitCode = faults.length === 0 ? 0 : 1
} finally {
  await ground.stop()
}

function show(when: string, { acceptedPerSecond, p50Ms, p99Ms }: Speed): void {
  say(`${when.padEnd(10)} ${acceptedPerSecond} accepted a second, p50 ${p50Ms} ms, p99 ${p99Ms} ms`)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
