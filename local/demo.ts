/** `npm run demo`: plays a fault of `npm start`, and says in this terminal what the console shows. */
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { faults } from './control/faults.ts'
import { readStartConfig } from './config.ts'

const LOOK_EVERY_MS = 1_000
/** A poison message is received five times, 30 s apart. */
const MOST_SECONDS = 240
/** Enough events to see a heap, few enough for any machine. */
const TRAFFIC = 5

const help = `npm run demo -- <fault>: plays a fault on the stack of \`npm start\`, with traffic, until every event arrives again.

${faults.map(({ name, text }) => `  ${name.padEnd(16)} ${text}`).join('\n')}
`

process.exitCode = await main(process.argv.slice(2))

async function main([name, ...others]: string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h') return say(help, 0)
  if (!faults.some((fault) => fault.name === name) || others.length > 0)
    return say(`There is no fault ${[name, ...others].join(' ')}. --help lists the faults.\n`, 2)
  const { dataDir, ports } = readStartConfig(process.env)
  const control = await readFile(join(resolve(dataDir), 'control-url'), 'utf8').catch(() => undefined)
  const url = control === undefined ? undefined : new URL(control)
  const started = url && (await order(url, { traffic: TRAFFIC }))
  if (!started) return say('The stack is not running. Start it in another terminal: npm start\n', 1)
  try {
    await order(url, { fault: name })
    return await follow(`http://127.0.0.1:${ports.CONSOLE_PORT}/api/snapshot`)
  } finally {
    await order(url, { traffic: 0 })
  }
}

/** Prints each new headline of the console, until the fault has shown itself and is over. */
async function follow(console: string): Promise<number> {
  const from = performance.now()
  let last = ''
  let wasWrong = false
  for (let second = 0; second < MOST_SECONDS; second++) {
    const snapshot = (await fetch(console)
      .then((response) => response.json())
      .catch(() => undefined)) as { verdict: { level: string; headline: string } } | undefined
    const headline = snapshot?.verdict.headline ?? 'The console does not answer.'
    if (headline !== last) say(`${((performance.now() - from) / 1000).toFixed(0).padStart(4)} s  ${headline}\n`, 0)
    last = headline
    const { level } = snapshot?.verdict ?? {}
    if (wasWrong && level !== 'wrong' && level !== 'unknown') return 0
    wasWrong ||= level === 'wrong' || level === 'busy'
    if (level === 'busy') return say('  Open "Needs you" in the console to go on.\n', 0)
    await sleep(LOOK_EVERY_MS)
  }
  return 1
}

async function order({ password, origin }: URL, body: object): Promise<boolean> {
  const response = await fetch(`${origin}/`, {
    method: 'POST',
    headers: { authorization: `Bearer ${password}` },
    body: JSON.stringify(body),
  }).catch(() => undefined)
  return response?.ok === true
}

function say(text: string, code: number): number {
  process.stdout.write(text)
  return code
}
