/**
 * `npm run test:crash`: kills, freezes, cuts and refuses everything at random while clients write, and checks the
 * history.
 */
import { randomInt } from 'node:crypto'
import { listenForInterrupts } from '@product-events/terminal'
import { readOptions } from '../options.ts'
import { LONG_FREEZE_MS } from './process-faults.ts'
import { pgbouncer as installed } from '../../packages/outbox/testing/pgbouncer.ts'
import { runSuite } from './suite.ts'

const { rounds, seconds, seed, queue, pooler } = readOptions({
  name: 'npm run test:crash --',
  version: '1.0.0',
  summary: 'kill, freeze, cut and refuse everything at random while clients write, and check the history',
  more: 'A round that failed: --rounds 1 and its seed. Its history is written to .data/crash-<seed>.json.',
  options: {
    rounds: { value: 'n', whole: [1, 100_000], default: 3, help: 'how many rounds' },
    seconds: {
      value: 'n',
      whole: [Math.ceil(LONG_FREEZE_MS / 1000), 86_400],
      default: 20,
      help: 'how long faults and writes go on in each',
    },
    seed: {
      value: 'n',
      whole: [0, 999_999_999],
      default: randomInt(1_000_000),
      help: 'of the first round; each next one has the next number',
    },
    queue: { value: 'kind', oneOf: ['standard', 'fifo'], default: 'standard', help: 'the kind of queue' },
    pooler: {
      value: 'on|off',
      oneOf: ['off', 'on'],
      default: 'off',
      help: 'PgBouncer in transaction mode before PostgreSQL',
    },
  },
})

const pgbouncer = pooler === 'on' ? installed : undefined
if (pooler === 'on' && pgbouncer === undefined) {
  process.stdout.write('--pooler on skipped: this machine has no pgbouncer\n')
  process.exit(0)
}

const stop = listenForInterrupts()

const { failed } = await runSuite({
  rounds,
  seconds,
  seed,
  pgbouncer,
  fifo: queue === 'fifo',
  failureDir: '.data',
  say: (line) => process.stdout.write(`${line}\n`),
  signal: stop.signal,
})
// What the clients' connection pools may still hold must not keep a finished run alive.
process.exit(failed === 0 ? 0 : 1)
