import { setTimeout as sleep } from 'node:timers/promises'
import type { CrashStack } from './crash-stack.ts'
import { databaseFaults } from './database-faults.ts'
import type { Member } from './keep-running.ts'
import { longOutage, networkFaults } from './network-faults.ts'
import { freezePastTheLease, processFaults } from './process-faults.ts'
import type { Random } from './random.ts'
import { sqsFaults } from './sqs-faults.ts'

/** How often each fault struck. */
export type FaultCounts = Map<string, number>

export interface FaultOptions {
  stack: CrashStack
  random: Random
  count: (fault: string) => void
}

/** What the faults at work share: a frozen process must wake up again before anything else is done to it. */
export interface Harm extends FaultOptions {
  frozen: Set<Member>
}

/** Does one fault and resolves when it is lifted; when `signal` aborts, it is lifted at once. */
export type Strike = (signal: AbortSignal) => Promise<void>

/** Pauses between two faults: most of the time one or two are at work. */
const PAUSE_MS = { low: 200, high: 1_200 }

/**
 * Faults at random until `signal` aborts; resolves when all are over and lifted. In every round one relay sleeps past its
 * lease, and in every third one dependency is gone for longer than any backoff.
 */
export async function doHarm(options: FaultOptions, signal: AbortSignal): Promise<void> {
  const { stack, random } = options
  const harm: Harm = { ...options, frozen: new Set() }
  const faults = [...processFaults(harm), ...networkFaults(harm), ...sqsFaults(harm), ...databaseFaults(harm)]
  const strikes = [freezePastTheLease(harm)]
  if (random.chance(1 / 3)) strikes.push(longOutage(harm, signal))
  while (!signal.aborted) {
    const strike = random.pick(faults)
    if (strike) strikes.push(strike(signal))
    await rest(random.between(PAUSE_MS.low, PAUSE_MS.high), signal)
  }
  await Promise.all(strikes)
  for (const network of Object.values(stack.networks)) network.become({ kind: 'pass' })
  stack.front.become({})
}

export async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {})
}
