/**
 * `node deploy/testing/measure-load.ts [processors] [seconds] [folder]`: what a task of product-service answers on a
 * part of a processor at rising rates, one creation for four pages of ten products, its own relay publishing meanwhile.
 * The thresholds of scaling follow from it. A folder is what `node deploy/build.ts <folder>` made.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { openGround, startTask } from './task.ts'

const RATES = [25, 50, 100, 150, 200, 300]
const CREATION = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ name: 'Tea', description: 'Black', price: 4.5 }),
}

const [processors = '0.25', seconds = '10', folder = 'dist'] = process.argv.slice(2)

await using ground = await openGround(Number(processors))
const task = await startTask(ground, 'product-service', folder)
await run(RATES[0]!, 5)
for (const rate of RATES) {
  const before = ground.quota.usedSeconds()
  const { took, failed } = await run(rate, Number(seconds))
  const share = (ground.quota.usedSeconds() - before) / Number(seconds) / Number(processors)
  const at = (part: number) => `${took[Math.min(took.length - 1, Math.floor(took.length * part))]?.toFixed(1)} ms`
  const answers = `p50 ${at(0.5)}, p99 ${at(0.99)}, ${failed} failed`
  console.log(`${rate} requests/s: ${answers}, ${(100 * share).toFixed(0)} % of ${processors} processors`)
}
await task.stop()

/** Sends at their times, whether or not earlier ones are answered. Resolves with what each took, sorted. */
async function run(rate: number, forSeconds: number): Promise<{ took: number[]; failed: number }> {
  const took: number[] = []
  let failed = 0
  const start = performance.now()
  const answered: Promise<void>[] = []
  for (let n = 0; n < rate * forSeconds; n++) {
    const due = start + (n * 1_000) / rate
    if (due > performance.now()) await sleep(due - performance.now())
    answered.push(answer(n, due))
  }
  await Promise.all(answered)
  return { took: took.toSorted((one, other) => one - other), failed }

  async function answer(n: number, due: number): Promise<void> {
    const ok = await ask(n).catch(() => false)
    took.push(performance.now() - due)
    if (!ok) failed++
  }
}

async function ask(n: number): Promise<boolean> {
  const response =
    n % 5 === 0 ? await fetch(`${task.http}/products`, CREATION) : await fetch(`${task.http}/products?limit=10`)
  await response.arrayBuffer()
  return response.ok
}
