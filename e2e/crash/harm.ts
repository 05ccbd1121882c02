import { setTimeout as sleep } from 'node:timers/promises'
import type { CrashStack } from './crash-stack.ts'
import type { Member } from './keep-running.ts'
import type { Random } from './random.ts'

/** How often each fault struck. */
export type FaultCounts = Map<string, number>

export interface FaultOptions {
  stack: CrashStack
  random: Random
  count: (fault: string) => void
}

/** What the faults at work share: a frozen process must wake up before its next fault. */
export interface Harm extends FaultOptions {
  frozen: Set<Member>
}

/** Does one fault and resolves when it is lifted; when `signal` aborts, it is lifted at once. */
export type Strike = (signal: AbortSignal) => Promise<void>

export async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {})
}
