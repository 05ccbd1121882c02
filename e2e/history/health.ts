/** One question to the port for operators, and its answer. */
export interface Probe {
  process: string
  /** The status, or why no answer came. */
  answer: number | string
  ms: number
  /** How late a timer of the process that asked was meanwhile: it was too busy to measure. */
  askerLateMs: number
  /** The process was not frozen, stopped or restarted between question and answer. */
  undisturbed: boolean
  /** It had answered before, since its last start. */
  started: boolean
}

/** Quiet, an answer takes a millisecond. On two cores it took 2.2 s while eight processes started at once. */
export const LIVE_WITHIN_MS = 5_000
/** Of an asker that is later than this, no figure says anything about the process that it asked. */
const ASKER_LATE_MS = 500

/** Why an answer of `/health/live` is a violation; undefined when it is none. */
export function judgeLive({ process, answer, ms, askerLateMs, undisturbed, started }: Probe): string | undefined {
  if (!undisturbed || !started || askerLateMs > ASKER_LATE_MS) return undefined
  if (answer !== 200) return `${process} answered /health/live with ${answer}, neither frozen nor starting`
  if (ms > LIVE_WITHIN_MS) return `${process} answered /health/live after ${Math.round(ms)} ms`
  return undefined
}

/** What a service says of itself once everything has drained, beside what its database and its queue say. */
export interface AtRest {
  process: string
  ready: { status: number; body: string }
  /** The text of its metrics. */
  metrics: string
  /** States that its log lines leave lost. */
  lacks: string[]
  /** Events of its outbox that are not processed, by status, as the table has them. */
  events: Record<'pending' | 'failed' | 'dead', number>
}

/** Samples with these names are 0 when everything has drained, whatever their labels. */
const ZERO = ['outbox_lanes_without_relay', 'queue_dead_letters', 'queue_messages']

/** Everything that a service at rest says and that is not so. */
export function judgeRest({ process, ready, metrics, lacks, events }: AtRest): string[] {
  const samples = readSamples(metrics)
  const wrong = samples.flatMap(({ name, labels, value }) => {
    const status = /status="(\w+)"/.exec(labels)?.[1] as keyof typeof events | undefined
    const expected =
      name === 'outbox_events' && status
        ? events[status]
        : name === 'dependency_up'
          ? 1
          : ZERO.includes(name)
            ? 0
            : value
    return Object.is(value, expected)
      ? []
      : [`${process} says ${name}${labels} ${value} at rest, and it is ${expected}`]
  })
  if (!samples.some(({ name }) => name === 'dependency_up')) wrong.push(`${process} has no gauge dependency_up`)
  if (!samples.some(({ name }) => name === 'outbox_events')) wrong.push(`${process} has no gauge outbox_events`)
  if (ready.status !== 200) wrong.push(`${process} is not ready at rest: ${ready.body.trim()}`)
  return [...wrong, ...lacks.map((line) => `${process} works, and its last word is: ${line}`)]
}

function readSamples(text: string): { name: string; labels: string; value: number }[] {
  return [...text.matchAll(/^(\w+)(\{[^}]*\})? (\S+)$/gm)].map(([, name = '', labels = '', value]) => ({
    name,
    labels,
    value: Number(value),
  }))
}
