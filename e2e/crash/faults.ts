import { setTimeout as sleep } from 'node:timers/promises'
import type { CallFault, FrontFaults } from '../faults/sqs-front.ts'
import type { Network } from '../faults/tcp-proxy.ts'
import type { CrashStack } from './crash-stack.ts'
import type { Member, MemberKind } from './keep-running.ts'
import type { Random } from './random.ts'

/** How often each fault struck. */
export type FaultCounts = Map<string, number>

export interface FaultOptions {
  stack: CrashStack
  random: Random
  count: (fault: string) => void
}

/** Pauses between two faults: most of the time one or two are at work. */
const PAUSE_MS = { low: 200, high: 1_200 }
/** Some pass before a client gives up (5 s), some do not. */
const NETWORK_FAULT_MS = { low: 300, high: 6_500 }
const FRONT_FAULT_MS = { low: 500, high: 2_500 }
/** A lease is over after 10 s: whoever sleeps through it wakes up without its lanes. */
export const LONG_FREEZE_MS = 11_500
const SHORT_FREEZE_MS = { low: 500, high: 4_000 }
/** Of the calls, or entries, while such a fault is on. */
const FRONT_PROBABILITY = 0.4
const REFUSE_PROBABILITY = 0.05
/** A refused event waits for its next try, longer each time: more refusals would only make rounds longer. */
const REFUSALS_AN_EVENT = 2

/** Faults at random until `signal` aborts; resolves when all are over and lifted. One relay sleeps past its lease. */
export async function doHarm(options: FaultOptions, signal: AbortSignal): Promise<void> {
  const { stack, random } = options
  const frozen = new Set<Member>()
  const faults = allFaults(options, frozen)
  const strikes = [freeze(options, frozen, ['relay'], LONG_FREEZE_MS)]
  while (!signal.aborted) {
    const strike = random.pick(faults)
    if (strike) strikes.push(strike(signal))
    await rest(random.between(PAUSE_MS.low, PAUSE_MS.high), signal)
  }
  await Promise.all(strikes)
  for (const network of Object.values(stack.networks)) network.become({ kind: 'pass' })
  stack.front.become({})
}

type Strike = (signal: AbortSignal) => Promise<void>

/** As often in the list as it is to be likely. */
function allFaults(options: FaultOptions, frozen: Set<Member>): Strike[] {
  const { random } = options
  const kill = (...kinds: MemberKind[]) => kinds.map((kind) => () => end(options, frozen, kind, 'SIGKILL'))
  const terminate = (...kinds: MemberKind[]) => kinds.map((kind) => () => end(options, frozen, kind, 'SIGTERM'))
  const network = (which: 'PostgreSQL' | 'SQS'): Strike[] => [
    (signal) => disturb(options, which, { kind: 'cut' }, signal),
    (signal) => disturb(options, which, { kind: 'delay', ms: random.between(20, 400) }, signal),
    (signal) => disturb(options, which, { kind: 'blackhole' }, signal),
  ]
  return [
    ...kill('API', 'API', 'API', 'relay', 'relay', 'relay', 'consumer', 'consumer', 'PostgreSQL', 'SQS'),
    ...terminate('API', 'relay', 'consumer'),
    () => freeze(options, frozen, ['relay', 'API'], random.between(SHORT_FREEZE_MS.low, SHORT_FREEZE_MS.high)),
    ...network('PostgreSQL'),
    ...network('SQS'),
    ...frontFaults.map(
      (fault): Strike =>
        (signal) =>
          misbehave(options, fault, signal),
    ),
  ]
}

async function end(
  { stack, random, count }: FaultOptions,
  frozen: Set<Member>,
  kind: MemberKind,
  signal: 'SIGKILL' | 'SIGTERM',
): Promise<void> {
  // One that is frozen is to wake up again.
  const member = random.pick(stack.members.filter((member) => member.kind === kind && !frozen.has(member)))
  if (await member?.signal(signal)) count(`${signal} ${kind}`)
}

async function freeze(
  { stack, random, count }: FaultOptions,
  frozen: Set<Member>,
  kinds: MemberKind[],
  ms: number,
): Promise<void> {
  const member = random.pick(stack.members.filter((member) => kinds.includes(member.kind) && !frozen.has(member)))
  if (!member) return
  frozen.add(member)
  if (await member.signal('SIGSTOP')) count(ms >= LONG_FREEZE_MS ? 'SIGSTOP past the lease' : 'SIGSTOP')
  await sleep(ms)
  await member.signal('SIGCONT')
  frozen.delete(member)
}

async function disturb(
  { stack, random, count }: FaultOptions,
  which: 'PostgreSQL' | 'SQS',
  network: Network,
  signal: AbortSignal,
): Promise<void> {
  stack.networks[which].become(network)
  count(`${network.kind} ${which}`)
  await rest(random.between(NETWORK_FAULT_MS.low, NETWORK_FAULT_MS.high), signal)
  stack.networks[which].become({ kind: 'pass' })
}

const frontFaults = ['refuse-entry', 'throttle', 'error500', 'drop-answer', 'duplicate'] as const

/** The front itself counts whom it does harm to. */
async function misbehave(
  { stack, random }: FaultOptions,
  fault: CallFault | 'refuse-entry',
  signal: AbortSignal,
): Promise<void> {
  stack.front.become(fault === 'refuse-entry' ? refusing(random) : { call: failing(random, fault) })
  await rest(random.between(FRONT_FAULT_MS.low, FRONT_FAULT_MS.high), signal)
  stack.front.become({})
}

function failing(random: Random, fault: CallFault): NonNullable<FrontFaults['call']> {
  return () => (random.chance(FRONT_PROBABILITY) ? fault : undefined)
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

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {})
}
