import { duration } from '@product-events/terminal'
import type { Station } from '../answers.ts'
import { type Step, stepsOf } from '../../status/steps.ts'
import { lastOf } from './source.ts'
import type { View } from './view.ts'

const NAMES: readonly { name: string; about: string }[] = [
  { name: 'Request', about: 'POST, PATCH, DELETE' },
  { name: 'Commit', about: 'product + event' },
  { name: 'Relay', about: 'outbox → SQS' },
  { name: 'Queue', about: 'product-notifications' },
  { name: 'Receive', about: 'receivers' },
  { name: 'Store', about: 'inbox' },
  { name: 'Notify', about: 'log, stream, channels' },
]

/** An event leaves within milliseconds. One that is older is held by something. */
const HEAP_AFTER_SECONDS = 2

/** The seven stations: rates and delays by the metrics, backlogs by PostgreSQL and SQS themselves. */
export function stationsOf(view: View, wrong: ReadonlySet<number>): Station[] {
  const steps = stepsOf(view.before, view.after)
  const outbox = lastOf(view.products)?.backlog
  const deliveries = lastOf(view.notifications)?.backlog
  const depth = view.queue.kind === 'answered' ? view.queue.value : undefined
  const failing = lastOf(view.notifications)?.failing.length ?? 0
  const of = (index: number) => steps[index] as Step
  const waiting = outbox && outbox.pending + outbox.failed
  const stand = outbox && outbox.oldest_seconds > HEAP_AFTER_SECONDS ? (waiting ?? 0) : 0
  const heaps = [0, 0, stand, wrong.has(5) || wrong.has(6) ? (depth?.visible ?? 0) : 0, failing, 0, 0]
  const figures: Station['figures'][] = [
    [figure('in flight', number(of(0).backlog)), figure('p95', delay(of(0)))],
    [figure('waiting', number(of(1).backlog)), figure('p95', delay(of(1)))],
    [
      figure('backlog', number(waiting ?? of(2).backlog), stand > 0),
      figure('oldest', waiting ? duration(outbox?.oldest_seconds ?? 0) : '–', stand > 0),
    ],
    [
      figure('backlog', number(depth?.visible)),
      figure('dead', number(depth?.dead_letters), (depth?.dead_letters ?? 0) > 0),
    ],
    [figure('in work', number(depth?.in_flight)), figure('failing', number(failing), failing > 0)],
    [figure('duplicates', of(5).note === '' ? '0' : of(5).note.replace(/ .*/, '')), figure('p95', delay(of(5)))],
    [
      figure('backlog', number(deliveries && deliveries.pending + deliveries.failed)),
      figure('abandoned', number(deliveries?.dead), (deliveries?.dead ?? 0) > 0),
    ],
  ]
  return NAMES.map(({ name, about }, index) => ({
    number: index + 1,
    name,
    about: index === 4 && of(4).note !== '' ? of(4).note : about,
    health: wrong.has(index + 1) ? 'wrong' : of(index).health === 'unknown' ? 'unknown' : 'ok',
    rate: of(index).rate_per_second,
    heap: heaps[index] ?? 0,
    figures: figures[index] ?? [],
  }))
}

function figure(label: string, value: string, alarm = false): Station['figures'][number] {
  return alarm ? { label, value, alarm } : { label, value }
}

function number(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : value.toLocaleString('en-US')
}

function delay({ delay_p95_seconds: seconds }: Step): string {
  return seconds === null ? '–' : duration(seconds)
}
