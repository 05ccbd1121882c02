/** `npm run demo`: plays a fault of `npm start`, and says in this terminal what the console shows. */
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { EXIT, type Program, readProgram, runProcess, type Terminal, UsageError } from '@product-events/terminal'
import { faults } from './control/faults.ts'
import { readStartConfig } from './config.ts'

const LOOK_EVERY_MS = 1_000
/** A poison message is received five times, 30 s apart. */
const MOST_SECONDS = 240
/** Enough events to see a heap, few enough for any machine. */
const TRAFFIC = 5

const program = {
  name: 'npm run demo --',
  version: '1.0.0',
  summary: 'play a fault on the stack of npm start, with traffic, until every event arrives again',
  usage: '<fault>',
  more: faults.map(({ name, text }) => `  ${name.padEnd(16)} ${text}`).join('\n'),
  words: { name: 'fault', min: 0, max: 1 },
  options: {},
} as const satisfies Program

await runProcess(program.name, main)

async function main({ args, stdout, signal }: Terminal): Promise<number> {
  const line = readProgram(program, args.length === 0 ? ['--help'] : args)
  if (line.kind === 'print') {
    stdout(line.text)
    return EXIT.done
  }
  const [name = ''] = line.words
  if (!faults.some((fault) => fault.name === name))
    throw new UsageError(
      `there is no fault ${JSON.stringify(name)}: it must be one of ${faults.map((one) => one.name).join(', ')}`,
    )
  const { dataDir, ports } = readStartConfig(process.env)
  // No file: `npm start` has never run with this DATA_DIR.
  const control = await readFile(join(resolve(dataDir), 'control-url'), 'utf8').catch(() => undefined)
  const url = control === undefined ? undefined : new URL(control)
  const started = url && (await order(url, { traffic: TRAFFIC }))
  if (!started) throw new Error('the stack is not running. Start it in another terminal: npm start')
  try {
    await order(url, { fault: name })
    return await follow(`http://127.0.0.1:${ports.CONSOLE_PORT}/api/snapshot`, stdout, signal)
  } finally {
    await order(url, { traffic: 0 })
  }
}

/** Prints each new headline of the console, until the fault has shown itself and is over. */
async function follow(console: string, say: (text: string) => void, signal: AbortSignal): Promise<number> {
  const from = performance.now()
  let last = ''
  let wasWrong = false
  for (let second = 0; second < MOST_SECONDS; second++) {
    // A console that does not answer is a headline of its own.
    const snapshot = (await fetch(console)
      .then((response) => response.json())
      .catch(() => undefined)) as { verdict: { level: string; headline: string } } | undefined
    const headline = snapshot?.verdict.headline ?? 'The console does not answer.'
    if (headline !== last) say(`${((performance.now() - from) / 1000).toFixed(0).padStart(4)} s  ${headline}\n`)
    last = headline
    const { level } = snapshot?.verdict ?? {}
    if (wasWrong && level !== 'wrong' && level !== 'unknown') return 0
    wasWrong ||= level === 'wrong' || level === 'busy'
    if (level === 'busy') {
      say('  Open "Needs you" in the console to go on.\n')
      return EXIT.done
    }
    // Rejects only on Ctrl-C, which the next line handles.
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
    if (signal.aborted) return EXIT.interrupted
  }
  return 1
}

/** Whether the control server took the order; false also when there is none, because `npm start` has ended. */
async function order({ password, origin }: URL, body: object): Promise<boolean> {
  const response = await fetch(`${origin}/`, {
    method: 'POST',
    headers: { authorization: `Bearer ${password}` },
    body: JSON.stringify(body),
  }).catch(() => undefined)
  return response?.ok === true
}
