import type { Network } from '../faults/tcp-proxy.ts'
import { type Harm, rest, type Strike } from './harm.ts'

/** Some are over before a client gives up (5 s), some are not. */
const NETWORK_FAULT_MS = { low: 300, high: 6_500 }
/** Longer than every backoff, every timeout and a lease. */
const LONG_OUTAGE_MS = { low: 12_000, high: 20_000 }

type Dependency = keyof Harm['stack']['networks']

export function networkFaults(harm: Harm): Strike[] {
  const { random } = harm
  const of = (which: Dependency): Strike[] => [
    (signal) => disturb(harm, which, { kind: 'cut' }, signal),
    (signal) => disturb(harm, which, { kind: 'delay', ms: random.between(20, 400) }, signal),
    (signal) => disturb(harm, which, { kind: 'blackhole' }, signal),
  ]
  return [...of('PostgreSQL'), ...of('SQS')]
}

/** One dependency refuses, or swallows, everything for longer than any backoff. */
export async function longOutage(harm: Harm, signal: AbortSignal): Promise<void> {
  const { stack, random, count } = harm
  const which = random.pick(['PostgreSQL', 'SQS'] as const) ?? 'SQS'
  const kind = random.pick(['cut', 'blackhole'] as const) ?? 'cut'
  stack.networks[which].become({ kind })
  count(`long ${kind} ${which}`)
  await rest(random.between(LONG_OUTAGE_MS.low, LONG_OUTAGE_MS.high), signal)
  stack.networks[which].become({ kind: 'pass' })
}

async function disturb({ stack, random, count }: Harm, which: Dependency, network: Network, signal: AbortSignal) {
  stack.networks[which].become(network)
  count(`${network.kind} ${which}`)
  await rest(random.between(NETWORK_FAULT_MS.low, NETWORK_FAULT_MS.high), signal)
  stack.networks[which].become({ kind: 'pass' })
}
