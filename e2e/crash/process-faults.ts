import { setTimeout as sleep } from 'node:timers/promises'
import type { Harm, Strike } from './harm.ts'
import type { Member, MemberKind } from './keep-running.ts'

/** A lease ends after 10 s: a relay that sleeps through it wakes up without its lanes. */
export const LONG_FREEZE_MS = 11_500
const SHORT_FREEZE_MS = { low: 500, high: 4_000 }

/** As often in the list as it is to be likely. */
export function processFaults(harm: Harm): Strike[] {
  const { random } = harm
  const kill = (...kinds: MemberKind[]) => kinds.map((kind) => () => end(harm, kind, 'SIGKILL'))
  const terminate = (...kinds: MemberKind[]) => kinds.map((kind) => () => end(harm, kind, 'SIGTERM'))
  return [
    ...kill('API', 'API', 'API', 'relay', 'relay', 'relay', 'consumer', 'consumer', 'PostgreSQL', 'SQS'),
    ...(harm.stack.members.some(({ kind }) => kind === 'PgBouncer') ? kill('PgBouncer', 'PgBouncer') : []),
    ...terminate('API', 'relay', 'consumer'),
    () => freeze(harm, ['relay', 'API', 'consumer'], random.between(SHORT_FREEZE_MS.low, SHORT_FREEZE_MS.high)),
    () => losePower(harm),
  ]
}

export async function freezePastTheLease(harm: Harm): Promise<void> {
  await freeze(harm, ['relay'], LONG_FREEZE_MS)
}

async function end(harm: Harm, kind: MemberKind, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const { random, count } = harm
  const member = random.pick(awake(harm, [kind]))
  if (await member?.signal(signal)) count(`${signal} ${kind}`)
}

/** Everything dies at the same moment, and comes back in any order. */
async function losePower(harm: Harm): Promise<void> {
  const { stack, count } = harm
  const kinds = stack.members.map(({ kind }) => kind)
  await Promise.all(awake(harm, kinds).map((member) => member.signal('SIGKILL')))
  count('power loss')
}

async function freeze(harm: Harm, kinds: MemberKind[], ms: number): Promise<void> {
  const { random, count, frozen } = harm
  const member = random.pick(awake(harm, kinds))
  if (!member) return
  frozen.add(member)
  if (await member.signal('SIGSTOP')) count(ms >= LONG_FREEZE_MS ? 'SIGSTOP past the lease' : 'SIGSTOP')
  await sleep(ms)
  await member.signal('SIGCONT')
  frozen.delete(member)
}

function awake({ stack, frozen }: Harm, kinds: MemberKind[]): Member[] {
  return stack.members.filter((member) => kinds.includes(member.kind) && !frozen.has(member))
}
