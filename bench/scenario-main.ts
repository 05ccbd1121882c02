/** The process of one scenario; `run-scenario.ts` starts it. Ends early on a signal, and closes its resources. */
import { rm } from 'node:fs/promises'
import { compare } from './compare.ts'
import type { Order, Told } from './run-scenario.ts'
import type { Scenario } from './scenario.ts'

const { name, rounds, quick, dir } = JSON.parse(process.argv[2] ?? '') as Order
const { scenario } = (await import(`./scenarios/${name}.ts`)) as { scenario: Scenario }
const { title, chart } = scenario

const STOPPED = new Error('stopped')
const stopped = new Promise<never>((_, reject) => {
  const stop = () => reject(STOPPED)
  for (const event of ['SIGTERM', 'SIGINT', 'disconnect']) process.once(event, stop)
})
// Nobody may be waiting for it at that moment.
stopped.catch(() => {})

try {
  await measure()
} catch (error) {
  tell({ kind: 'result', result: { title, failed: (error as Error).message } })
  if (error !== STOPPED) console.error(`[${name}] ${(error as Error).stack}`)
}
// Nobody is left to do it.
if (!process.connected) await rm(dir, { recursive: true, force: true })
// What the contestants leave running (pools, timers) is theirs; the parent process ends the group.
if (process.connected) process.disconnect()
process.exit()

async function measure(): Promise<void> {
  const say = (text: string) => tell({ kind: 'progress', text })
  const from = performance.now()
  const arena = await Promise.race([scenario.open({ quick, dir, say }), stopped])
  try {
    const comparison = await Promise.race([compare(arena, rounds, say), stopped])
    const seconds = Math.round((performance.now() - from) / 1000)
    tell({ kind: 'result', result: { title, chart, seconds, settings: arena.settings, ...comparison } })
  } finally {
    await arena.close()
  }
}

function tell(told: Told): void {
  if (process.connected) process.send?.(told)
}
