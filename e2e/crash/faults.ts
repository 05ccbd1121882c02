import { databaseFaults } from './database-faults.ts'
import { type FaultOptions, type Harm, rest } from './harm.ts'
import { migrationFaults } from './migration-faults.ts'
import { longOutage, networkFaults } from './network-faults.ts'
import { freezePastTheLease, processFaults } from './process-faults.ts'
import { receiverFaults } from './receiver-faults.ts'
import { sqsFaults } from './sqs-faults.ts'

/** Pauses between two faults: most of the time one or two are at work. */
const PAUSE_MS = { low: 200, high: 1_200 }

/**
 * Faults at random until `signal` aborts; resolves when all are over and lifted. In every round one relay sleeps past
 * its lease, and in every third one dependency is gone for longer than any backoff.
 */
export async function doHarm(options: FaultOptions, signal: AbortSignal): Promise<void> {
  const { stack, random } = options
  const harm: Harm = { ...options, frozen: new Set() }
  const faults = [
    ...processFaults(harm),
    ...networkFaults(harm),
    ...sqsFaults(harm),
    ...databaseFaults(harm),
    ...receiverFaults(harm),
    ...migrationFaults(harm),
  ]
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
