import { setTimeout as sleep } from 'node:timers/promises'
import { judgeLive, judgeRest, type Probe } from '../history/health.ts'
import type { StateWatch } from '../history/states.ts'
import type { CrashStack } from './crash-stack.ts'
import type { Member } from './keep-running.ts'

const LOOK_EVERY_MS = 250
/** Far above the bound, so that a violation tells how late the answer came. */
const GIVE_UP_MS = 20_000
/** Gauges may be a second old, and a lease that a dead relay left runs for ten. */
const REST_TIMEOUT_MS = 60_000

/** A service as its operators see it. */
export interface Watched {
  member: Member
  /** Of its API. */
  url: string
  metricsUrl: string
  database: 'products' | 'notifications'
  /** The state lines of the process that runs now. */
  states: () => StateWatch | undefined
}

/** The answers of `/health/live` that were judged. */
export interface Looks {
  count: number
  slowestMs: number
}

/**
 * Asks every service whether it lives until `signal` aborts, and calls `onLie` for every answer that must not be.
 * Resolves with what it judged.
 */
export async function lookOn(
  services: readonly Watched[],
  onLie: (what: string) => void,
  signal: AbortSignal,
): Promise<Looks> {
  const looks: Looks = { count: 0, slowestMs: 0 }
  const askerLate = measureLateness(signal)
  function judgeProbe(probe: Probe): void {
    const lie = judgeLive(probe)
    if (lie !== undefined) onLie(lie)
    if (!probe.undisturbed || !probe.started) return
    looks.count++
    looks.slowestMs = Math.max(looks.slowestMs, probe.ms)
  }
  await Promise.all(services.map((service) => askWhetherItLives(service, judgeProbe, askerLate, signal)))
  return looks
}

async function askWhetherItLives(
  { member, metricsUrl }: Watched,
  onAnswer: (probe: Probe) => void,
  askerLate: (from: number) => number,
  signal: AbortSignal,
): Promise<void> {
  let answeredIn: object | undefined
  while (!signal.aborted) {
    const stint = member.stint()
    const asked = performance.now()
    const answer = await ask(`${metricsUrl}/health/live`)
    const ms = performance.now() - asked
    // A member reports an end that the suite did not order, as soon as it knows.
    if (typeof answer === 'string') await sleep(LOOK_EVERY_MS)
    const undisturbed = stint !== undefined && stint === member.stint()
    const started = member.life() === answeredIn
    onAnswer({ process: member.name, answer, ms, askerLateMs: askerLate(asked), undisturbed, started })
    if (undisturbed && answer === 200) answeredIn = member.life()
    // The scrapes of Prometheus, which must hold up nothing either.
    void ask(`${metricsUrl}/metrics`)
    void ask(`${metricsUrl}/health/ready`)
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
  }
}

async function ask(url: string): Promise<number | string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(GIVE_UP_MS) })
    await response.text()
    return response.status
  } catch (error) {
    const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException
    return code ?? message
  }
}

/** By how much a timer of this process was late at most since `from`. */
function measureLateness(signal: AbortSignal): (from: number) => number {
  const late: { at: number; ms: number }[] = []
  let due = performance.now() + LOOK_EVERY_MS
  const timer = setInterval(() => {
    const at = performance.now()
    late.push({ at, ms: at - due })
    if (late.length > 1_000) late.shift()
    due = at + LOOK_EVERY_MS
  }, LOOK_EVERY_MS)
  signal.addEventListener('abort', () => clearInterval(timer))
  return (from) => Math.max(0, performance.now() - due, ...late.filter(({ at }) => at >= from).map(({ ms }) => ms))
}

export interface Rest {
  lies: string[]
  /** What became true last, and was not so at first. */
  last: string | undefined
}

/** Waits until what every service says at rest is so; resolves with what is still not so at the end of its patience. */
export async function untilTrue({ watched, direct }: Pick<CrashStack, 'watched' | 'direct'>): Promise<Rest> {
  let last: string | undefined
  for (const until = performance.now() + REST_TIMEOUT_MS; ; await sleep(LOOK_EVERY_MS)) {
    const lies = await Promise.all(watched.map((service) => judge(service, direct)))
    if (performance.now() > until || lies.flat().length === 0) return { lies: lies.flat(), last }
    last = lies.flat().join('; ')
  }
}

async function judge(service: Watched, direct: CrashStack['direct']): Promise<string[]> {
  const { member, metricsUrl, database, states } = service
  try {
    const { rows } = await direct[database].query<{ status: 'pending' | 'failed' | 'dead'; count: number }>(
      "SELECT status, count(*)::int AS count FROM public.events WHERE status <> 'processed' GROUP BY status",
    )
    const events = { pending: 0, failed: 0, dead: 0 }
    for (const { status, count } of rows) events[status] = count
    const [ready, metrics] = await Promise.all([
      fetch(`${metricsUrl}/health/ready`),
      fetch(`${metricsUrl}/metrics`).then((response) => response.text()),
    ])
    return judgeRest({
      process: member.name,
      ready: { status: ready.status, body: await ready.text() },
      metrics,
      lacks: states()?.lacks() ?? [],
      events,
    })
  } catch (error) {
    return [`${member.name} says nothing at rest: ${(error as Error).message}`]
  }
}
