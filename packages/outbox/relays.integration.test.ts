import fc from 'fast-check'
import type pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Fate } from './testing/ledger.ts'
import { createWorld } from './testing/relays.ts'
import { freshOutbox } from './testing/outbox.ts'

let db: pg.Pool
beforeAll(async () => {
  db = await freshOutbox(inject('postgresUrl'))
})
afterAll(() => db.end())

const RELAYS = 3
/** Some seconds of work; on a busy machine, as many as fit. */
const RUNS = 100
const TIME_LIMIT_MS = 10_000

const key = fc.constantFrom('a', 'b', 'c', 'd')
const relay = fc.nat({ max: RELAYS - 1 })
const fates = fc.array(
  fc.constantFrom<Fate>('accepted', 'accepted', 'accepted', 'refused', 'unacceptable', 'lost', 'silence', 'outage'),
  { minLength: 1, maxLength: 3 },
)
const is = <const Name extends string>(name: Name) => fc.constant(name)
const often = <Step>(weight: number, arbitrary: fc.Arbitrary<Step>) => ({ weight, arbitrary })

/** What can happen, each as often as it is worth. */
const step = fc.oneof(
  often(4, fc.record({ is: is('append'), keys: fc.array(key, { maxLength: 6 }), attempts: fc.constantFrom(0, 0, 8) })),
  often(8, fc.record({ is: is('wake'), relay })),
  often(8, fc.record({ is: is('answer'), relay, fates })),
  often(4, fc.record({ is: is('pass'), ms: fc.constantFrom(300, 2_500, 4_000, 6_000, 11_000) })),
  often(1, fc.record({ is: is('appendLate'), key })),
  often(1, fc.record({ is: is('endLate'), key, commits: fc.boolean() })),
  often(1, fc.record({ is: is('redrive') })),
  often(1, fc.record({ is: is('crash'), relay, fates })),
  often(1, fc.record({ is: is('stop'), relay })),
  often(
    1,
    fc.record({ is: is('breakDatabase'), relay, how: fc.constantFrom('fails', 'settles nothing', 'loses the answer') }),
  ),
)
type Step = typeof step extends fc.Arbitrary<infer Step> ? Step : never

async function take(world: Awaited<ReturnType<typeof createWorld>>, step: Step): Promise<void> {
  switch (step.is) {
    case 'append':
      return world.append(step.keys, step.attempts)
    case 'wake':
      return world.wake(step.relay)
    case 'answer':
      return world.answer(step.relay, step.fates)
    case 'pass':
      return world.pass(step.ms)
    case 'appendLate':
      return world.appendLate(step.key)
    case 'endLate':
      return world.endLate(step.key, step.commits)
    case 'redrive':
      return world.redrive()
    case 'crash':
      return world.crash(step.relay, step.fates)
    case 'stop':
      return world.stop(step.relay)
    case 'breakDatabase':
      return world.breakDatabase(step.relay, step.how)
  }
}

async function outcomeOf(steps: readonly Step[]): Promise<string[]> {
  const world = await createWorld(db, RELAYS)
  try {
    for (const step of steps) {
      await take(world, step)
      if (world.broken.length > 0) return world.broken
    }
    return await world.finish()
  } finally {
    await world.end()
  }
}

test('whatever several relays, writers, the broker, the database and time do: order holds, nothing is lost or invented', async () => {
  const property = fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }), async (steps) => {
    expect(await outcomeOf(steps)).toEqual([])
  })
  await fc.assert(property, { numRuns: RUNS, interruptAfterTimeLimit: TIME_LIMIT_MS })
}, 60_000)
