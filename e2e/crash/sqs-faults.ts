import type { CallFault, EntryFault, FrontFaults } from '../faults/sqs-front.ts'
import { type Harm, rest, type Strike } from './harm.ts'
import type { Random } from './random.ts'

const FAULT_MS = { low: 500, high: 2_500 }
/** Of the calls, or of the entries that SQS fails at, while such a fault is on. */
const PROBABILITY = 0.4
const REFUSE_PROBABILITY = 0.05
/** A refused event waits for its next try, longer each time: more refusals would only make rounds longer. */
const REFUSALS_AN_EVENT = 2

const callFaults = ['throttle', 'error500', 'drop-answer', 'duplicate'] as const satisfies CallFault[]
const entryFaults = ['refuse-entry', 'fail-entry'] as const satisfies EntryFault[]

/** The front itself counts how often each was done. */
export function sqsFaults(harm: Harm): Strike[] {
  const { random } = harm
  const faults: Record<CallFault | EntryFault, FrontFaults> = {
    ...(Object.fromEntries(callFaults.map((fault) => [fault, { call: failing(random, fault) }])) as Record<
      CallFault,
      FrontFaults
    >),
    'refuse-entry': refusing(random),
    'fail-entry': { fails: () => random.chance(PROBABILITY) },
  }
  return [...callFaults, ...entryFaults].map((fault) => (signal) => misbehave(harm, faults[fault], signal))
}

async function misbehave({ stack, random }: Harm, faults: FrontFaults, signal: AbortSignal): Promise<void> {
  stack.front.become(faults)
  await rest(random.between(FAULT_MS.low, FAULT_MS.high), signal)
  stack.front.become({})
}

function failing(random: Random, fault: CallFault): NonNullable<FrontFaults['call']> {
  return () => (random.chance(PROBABILITY) ? fault : undefined)
}

function refusing(random: Random): FrontFaults {
  const refusals = new Map<string, number>()
  return {
    refuses(body) {
      const before = refusals.get(body) ?? 0
      if (before >= REFUSALS_AN_EVENT || !random.chance(before > 0 ? 0.5 : REFUSE_PROBABILITY)) return false
      refusals.set(body, before + 1)
      return true
    },
  }
}
