/** `npm run test:crash`: kills, freezes, cuts and refuses everything at random while clients write, and checks the history. */
import { randomInt } from 'node:crypto'
import { fail, readOptions } from '../options.ts'
import { LONG_FREEZE_MS } from './process-faults.ts'
import { runSuite } from './suite.ts'

const help = `npm run test:crash -- [--rounds n] [--seconds n] [--seed n] [--queue standard|fifo]

  --rounds   how many rounds; 3
  --seconds  how long faults and writes go on in each; 20
  --seed     of the first round, each next one has the next number; random
  --queue    the kind of queue; standard

A round that failed: --rounds 1 and its seed. Its history is written to .data/crash-<seed>.json.
`

const { values, number } = readOptions(help, {
  rounds: '3',
  seconds: '20',
  seed: String(randomInt(1_000_000)),
  queue: 'standard',
})
if (!['standard', 'fifo'].includes(values.queue)) fail(`--queue is "${values.queue}": expected standard or fifo`)

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())

const { failed } = await runSuite({
  rounds: number('rounds', 1),
  seconds: number('seconds', Math.ceil(LONG_FREEZE_MS / 1000)),
  seed: number('seed', 0),
  fifo: values.queue === 'fifo',
  failureDir: '.data',
  say: (line) => process.stdout.write(`${line}\n`),
  signal: stop.signal,
})
// What the clients' connection pools may still hold must not keep a finished run alive.
process.exit(failed === 0 ? 0 : 1)
