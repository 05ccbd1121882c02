import { createRest, outageBackoffMs } from '@product-events/outages'
import type { MaySend, OutboxEvent, Outcome, Send } from './send.ts'
import { createJudge } from './sending.ts'

/** By type of event, where it is sent. `*` in a pattern stands for any text; the first pattern that fits counts. */
export type Routes = Readonly<Record<string, Send>> & {
  /** For the types that no pattern fits. */
  default: Send
}

/** The longest pause before an event of an unreachable destination is tried again: each try rewrites its row. */
const POSTPONE_CAP_MS = 60_000

/**
 * Makes one `Send` of several. While a destination has an outage its events are postponed, without losing an attempt,
 * and only their keys wait. The relay as a whole rests only while every destination has an outage.
 */
export function route(routes: Routes): Send {
  const destinations = new Map<Send, Destination>()
  const table = Object.entries(routes)
    .toSorted(([one], [other]) => Number(one === 'default') - Number(other === 'default'))
    .map(([pattern, send]) => {
      const destination = destinations.get(send) ?? createDestination(send)
      destinations.set(send, destination)
      return { fits: pattern === 'default' ? () => true : matcherOf(pattern), destination }
    })

  return async (events, maySend = () => true) => {
    const groups = new Map<Destination, OutboxEvent[]>()
    for (const event of events) {
      const destination = table.find(({ fits }) => fits(event.type))?.destination
      if (destination) groups.set(destination, [...(groups.get(destination) ?? []), event])
    }
    const answers = await Promise.all([...groups].map(([destination, group]) => destination.send(group, maySend)))
    const outcomes = new Map(answers.flatMap((answer) => [...answer.outcomes]))
    const outage = answers.find((answer) => answer.outage !== undefined)?.outage
    if (outage !== undefined && [...destinations.values()].every((destination) => destination.isResting()))
      return { outcomes, outage }
    for (const [destination, group] of groups)
      for (const { id } of group) if (!outcomes.has(id)) outcomes.set(id, destination.postponed())
    return { outcomes }
  }
}

function matcherOf(pattern: string): (type: string) => boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`))
  const expression = new RegExp(`^${parts.join('.*')}$`, 's')
  return (type) => expression.test(type)
}

interface Destination {
  send(events: readonly OutboxEvent[], maySend: MaySend): Promise<{ outcomes: Map<string, Outcome>; outage?: string }>
  /** True while it has an outage and is not due to be tried again. */
  isResting(): boolean
  postponed(): Outcome
}

/** Judges failures for itself: that another destination accepts events says nothing about the events of this one. */
function createDestination(send: Send): Destination {
  const judge = createJudge(send)
  const rest = createRest({ lost: () => {}, back: () => {} })
  let failures = 0
  let reason = ''
  let isTrying = false
  const isResting = () => rest.isAway() && rest.pauseMs() > 0

  return {
    isResting,

    async send(events, maySend) {
      // One try at a time: a destination that does not answer must not hold all sends of the relay.
      if (isResting() || (rest.isAway() && isTrying)) return { outcomes: new Map(), outage: reason }
      isTrying = true
      const verdict = await judge.send(events, maySend)
      isTrying = false
      if (verdict.outage === undefined) {
        failures = 0
        rest.worked()
      } else {
        failures++
        reason = verdict.outage
        rest.failed(reason)
      }
      return verdict
    },

    postponed: () => ({
      kind: 'postponed',
      reason,
      delayMs: Math.max(rest.pauseMs(), outageBackoffMs(failures, POSTPONE_CAP_MS)),
    }),
  }
}
