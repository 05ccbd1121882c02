import type { Look } from './scrape.ts'
import { NOT_ASKED, type OutboxTruth, type Truth } from './truth.ts'
import { truthProblems } from './truth-problems.ts'
import { type Window, windowOf } from './window.ts'

/** One of the seven steps between a request and its notification. `null`: no source tells it. */
export interface Step {
  number: number
  name: string
  rate_per_second: number | null
  /** What waits here: requests, queries, events, messages, deliveries. */
  backlog: number | null
  oldest_seconds: number | null
  /** What this step took for 95 % of what it did since the look before. */
  delay_p95_seconds: number | null
  /** `unknown`: the service that knows does not answer. */
  health: 'ok' | 'wrong' | 'unknown'
  /** Something to know that is not wrong. */
  note: string
  /** Each fault with its remedy, in a sentence. */
  problems: string[]
}

type Numbers = Partial<Record<'rate' | 'backlog' | 'oldest' | 'delay', number | undefined>>

/**
 * An event leaves within milliseconds, or at the relay's next poll, 2 s later; the gauge may be 5 s old.
 * One that is older than this is held up.
 */
const HELD_UP_SECONDS = 10
/** One failed answer of thousands does not make a service faulty. */
const MOST_FAILED_SHARE = 0.01

/**
 * The seven steps, from two looks at each process, and from what PostgreSQL and SQS say themselves: these win, and they
 * answer although the process that is ill does not.
 */
export function stepsOf(before: Look[], after: Look[], truth: Truth = NOT_ASKED): Step[] {
  const of = (service: Look['service']) => {
    const own = (looks: Look[]) => looks.filter((look) => look.service === service)
    const answers = own(after).some((look) => look.kind === 'answered')
    return { window: windowOf(own(before), own(after)), answers }
  }
  const products = of('product-service')
  const notifications = of('notification-service')
  const outbox = truth.products.kind === 'answered' ? truth.products.value : undefined
  const stored = truth.notifications.kind === 'answered' ? truth.notifications.value : undefined
  const seen = truth.queue.kind === 'answered' ? truth.queue.value : undefined
  const further = truthProblems(truth, Date.now())
  const told = [outbox !== undefined, seen !== undefined, stored !== undefined]
  return [
    request(products.window),
    commit(products.window, truth.products.kind !== 'not-asked', truth.products.kind === 'silent'),
    relay(products.window, outbox),
    queue(notifications.window, truth.queue),
    receive(notifications.window),
    store(notifications.window, truth.notifications.kind !== 'not-asked', truth.notifications.kind === 'silent'),
    tell(notifications.window, stored?.deliveries),
  ].map(([name, numbers, own, { note = '', unsure = false } = {}], index) => {
    const problems = [...own, ...(further.get(index + 1) ?? [])]
    const answers = (index < 3 ? products : notifications).answers || isTold(index + 1, told)
    return {
      number: index + 1,
      name,
      rate_per_second: numbers.rate ?? null,
      backlog: numbers.backlog ?? null,
      oldest_seconds: numbers.oldest ?? null,
      delay_p95_seconds: numbers.delay ?? null,
      health: problems.length > 0 ? 'wrong' : answers && !unsure ? 'ok' : 'unknown',
      note,
      problems,
    }
  })
}

/**
 * The outbox by the database of product-service, the queue by SQS, deliveries by the database of notification-service.
 */
function isTold(step: number, [outbox = false, queue = false, deliveries = false]: boolean[]): boolean {
  return (step === 3 && outbox) || (step === 4 && queue) || (step === 7 && deliveries)
}

/** `unsure`: the process answers, and does not know either. */
type Judged = [name: string, numbers: Numbers, problems: string[], more?: { note?: string; unsure?: boolean }]

function request(at: Window): Judged {
  const numbers = {
    rate: at.rate('http_request_duration_seconds_count'),
    backlog: at.sum('http_requests_in_flight'),
    delay: at.p95('http_request_duration_seconds'),
  }
  return ['request', numbers, failedAnswers(at)]
}

/** `said`: PostgreSQL itself answered, or its silence is told already. */
function commit(at: Window, said: boolean, isSilent: boolean): Judged {
  const names = ['products_created_total', 'products_updated_total', 'products_deleted_total']
  const rates = names.map((name) => at.rate(name)).filter((rate) => rate !== undefined)
  const rate = rates.length === 0 ? undefined : rates.reduce((sum, one) => sum + one, 0)
  const down = isDown(at, 'database') && !isSilent
  const problems = down ? ['product-service has no database: writes are answered with 503'] : []
  return [
    'commit',
    { rate, backlog: at.sum('database_pool_waiting') },
    problems,
    { unsure: !said && !knows(at, 'database') },
  ]
}

function relay(at: Window, truth: OutboxTruth | undefined): Judged {
  const { waiting, oldest, dead } = truth ? outboxIn(truth) : outboxOf(at)
  const rate = at.rate('outbox_events_published_total')
  const problems = []
  const held = `${waiting === 1 ? '1 event waits' : `${waiting ?? 'some'} events wait`}, the oldest for ${seconds(oldest)}`
  // A gauge may be some seconds behind; what leaves is not.
  if (isDown(at, 'queue') && !rate) problems.push(`SQS takes no events from the relay: ${waiting ? held : 'they wait'}`)
  else if ((oldest ?? 0) > HELD_UP_SECONDS)
    problems.push(`events are held up: ${held}${rate ? `; ${Math.ceil(rate)} a second leave` : ''}`)
  const free = truth?.lanes_without_relay ?? at.most('outbox_lanes_without_relay') ?? 0
  if (free > 0) problems.push(`${count(free, 'lane')} without a relay: ${free === 1 ? 'its' : 'their'} events wait`)
  if (dead > 0) problems.push(`${count(dead, 'dead event')}: npm run outbox -- list`)
  const owned = at.sum('outbox_lanes_owned')
  const retried = truth ? 0 : (at.most('outbox_events', { status: 'failed' }) ?? 0)
  const note = retried > 0 ? `${retried} to be retried` : owned === undefined ? '' : count(owned, 'lane')
  const delay = at.p95('outbox_publish_delay_seconds')
  return ['relay', { rate, backlog: waiting, oldest, delay }, problems, { note, unsure: waiting === undefined }]
}

function queue(at: Window, truth: Truth['queue']): Judged {
  const delay = at.p95('queue_wait_seconds')
  if (truth.kind === 'answered') {
    const { visible, in_flight, delayed } = truth.value.queue
    return ['queue', { backlog: visible + in_flight + delayed, delay }, []]
  }
  if (truth.kind === 'silent') return ['queue', { delay }, []]
  const problems = isDown(at, 'queue') ? ['SQS does not answer notification-service'] : []
  const dead = at.most('queue_dead_letters') ?? 0
  if (dead > 0) problems.push(`${count(dead, 'message')} in the dead-letter queue: npm run inbox -- list`)
  return ['queue', { backlog: at.most('queue_messages'), delay }, problems, { unsure: !knows(at, 'queue') }]
}

function receive(at: Window): Judged {
  const receivers = at.sum('notification_receivers')
  const invalid = at.increase('notification_failures_total', { reason: 'invalid' }) ?? 0
  const problems = receivers === 0 ? ['no receiver is at work: messages stay in the queue'] : []
  if (invalid > 0) problems.push(`${count(invalid, 'receive')} of messages that are no events: npm run inbox -- list`)
  const numbers = { rate: at.rate('queue_messages_received_total'), delay: at.p95('notification_handling_seconds') }
  const note = receivers === undefined ? '' : count(receivers, 'receiver')
  return ['receive', numbers, problems, { note, unsure: receivers === undefined }]
}

function store(at: Window, said: boolean, isSilent: boolean): Judged {
  const down = isDown(at, 'database') && !isSilent
  const problems = down ? ['notification-service has no database: messages wait in the queue'] : []
  const refused = at.increase('notification_failures_total', { reason: 'refused' }) ?? 0
  if (refused > 0) problems.push(`the database refused ${count(refused, 'notification')}: npm run inbox -- list`)
  const duplicates = at.increase('notifications_duplicates_total') ?? 0
  const numbers = { rate: at.rate('notifications_total'), delay: at.p95('notification_delay_seconds') }
  const note = duplicates > 0 ? count(duplicates, 'duplicate') : ''
  return ['store', numbers, problems, { note, unsure: !said && !knows(at, 'database') }]
}

/** The deliveries of the channels are an outbox too; without channels there is none. */
function tell(at: Window, truth: OutboxTruth | undefined): Judged {
  const { waiting, oldest, dead } = truth ? outboxIn(truth) : outboxOf(at)
  const problems = failedAnswers(at)
  if (dead > 0)
    problems.push(
      `${count(dead, 'abandoned delivery', 'abandoned deliveries')}: npm run outbox -- list --service notification-service`,
    )
  const disabled = truth ? 0 : (at.sum('channel_endpoints_disabled_total') ?? 0)
  if (disabled > 0) problems.push(`${count(disabled, 'endpoint')} disabled, having answered 410 Gone`)
  const delivered = at.rate('channel_deliveries_total', { outcome: 'accepted' })
  // Each notification that is stored is logged.
  const rate = delivered ?? at.rate('notifications_total')
  const numbers = { rate, backlog: waiting, oldest, delay: at.p95('outbox_publish_delay_seconds') }
  return ['tell', numbers, problems, { note: delivered === undefined ? 'log only' : '' }]
}

function outboxOf(at: Window) {
  return {
    waiting: at.most('outbox_events', { status: /^(pending|failed)$/ }),
    oldest: at.most('outbox_oldest_pending_seconds'),
    dead: at.most('outbox_events', { status: 'dead' }) ?? 0,
  }
}

/** Its dead events are told with their reason by `truthProblems`. */
function outboxIn({ backlog: { pending, failed, oldest_seconds } }: OutboxTruth) {
  return { waiting: pending + failed, oldest: oldest_seconds, dead: 0 }
}

function knows(at: Window, dependency: string): boolean {
  return at.least('dependency_up', { dependency }) !== undefined
}

function failedAnswers(at: Window): string[] {
  const all = at.increase('http_request_duration_seconds_count') ?? 0
  const failed = at.increase('http_request_duration_seconds_count', { status: /^5/ }) ?? 0
  return failed > all * MOST_FAILED_SHARE ? [`${failed} of ${count(all, 'request')} were answered with 5xx`] : []
}

function isDown(at: Window, dependency: string): boolean {
  return at.least('dependency_up', { dependency }) === 0
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}

/** `0.4 s`, `12 s`, `3 min`, `2 h`, `4 d`: as much as a glance needs. */
export function seconds(value: number | undefined): string {
  if (value === undefined) return 'some time'
  if (value < 1) return `${Math.round(value * 1000)} ms`
  if (value < 10) return `${value.toFixed(1)} s`
  if (value < 120) return `${Math.round(value)} s`
  if (value < 7_200) return `${Math.round(value / 60)} min`
  return value < 172_800 ? `${Math.round(value / 3600)} h` : `${Math.round(value / 86_400)} d`
}
