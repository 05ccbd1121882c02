import { duration, plural } from '@product-events/terminal'
import type { Answer, OutboxTruth, Stuck, Truth } from './truth.ts'

/** A received message that failed is visible again after this. */
const VISIBILITY_SECONDS = 30

/** Faults that PostgreSQL and SQS themselves report: a sentence each, by the number of the step. */
export function truthProblems(truth: Truth, now: number): Map<number, string[]> {
  const deliveries: Answer<OutboxTruth> =
    truth.notifications.kind === 'answered'
      ? { kind: 'answered', value: truth.notifications.value.deliveries }
      : { kind: 'not-asked' }
  return new Map([
    [2, silent(truth.products, 'PostgreSQL of product-service does not answer: every write is answered with 503')],
    [3, outboxProblems(truth.products, { one: 'event', option: '', now })],
    [4, queueProblems(truth.queue)],
    [6, [...silent(truth.notifications, STORE_SILENT), ...failingMessages(truth, now)]],
    [
      7,
      [
        ...outboxProblems(deliveries, { one: 'delivery', option: ' --service notification-service', now }),
        ...disabled(truth),
      ],
    ],
  ])
}

const STORE_SILENT = 'PostgreSQL of notification-service does not answer: messages wait in the queue'

function silent(answer: Answer<unknown>, sentence: string): string[] {
  return answer.kind === 'silent' ? [`${sentence} (${answer.reason})`] : []
}

function outboxProblems(
  answer: Answer<OutboxTruth>,
  { one, option, now }: { one: 'event' | 'delivery'; option: string; now: number },
): string[] {
  if (answer.kind !== 'answered') return []
  const { backlog, failed, dead } = answer.value
  const many = one === 'event' ? 'events' : 'deliveries'
  const problems = []
  if (failed)
    problems.push(
      `${plural(backlog.failed, `failed ${one}`, `failed ${many}`)}: ${reasonOf(failed)} (${one} ${failed.id}, since ${since(failed, now)}); ` +
        `the relay retries ${inTime(failed.next_attempt_at, now)}`,
    )
  if (dead) {
    const word = one === 'event' ? 'dead' : 'abandoned'
    problems.push(
      `${plural(backlog.dead, `${word} ${one}`, `${word} ${many}`)}: ${reasonOf(dead)} (${one} ${dead.id}, since ${since(dead, now)}); ` +
        `not retried until an operator acts: npm run outbox -- list${option}`,
    )
  }
  return problems
}

function queueProblems(answer: Truth['queue']): string[] {
  if (answer.kind !== 'answered')
    return silent(
      answer,
      // findQueues says so where SQS answers and a queue is missing.
      answer.kind === 'silent' && answer.reason.startsWith('there is no')
        ? 'a queue is missing: the services make it again unless SQS_QUEUE_URL names it'
        : 'SQS does not answer: events wait in the outbox, the relay retries at most 30 s apart',
    )
  const { visible, in_flight, delayed } = answer.value.dead_letters
  const dead = visible + in_flight + delayed
  return dead > 0 ? [`${plural(dead, 'message')} in the dead-letter queue: npm run inbox -- list`] : []
}

function failingMessages({ notifications, queue }: Truth, now: number): string[] {
  if (notifications.kind !== 'answered') return []
  const { failing } = notifications.value
  const [last] = failing
  if (!last) return []
  const receives = queue.kind === 'answered' ? queue.value.max_receives : 5
  const next = Math.max(0, VISIBILITY_SECONDS - (now - last.last_failed_at.getTime()) / 1000)
  return [
    `${plural(failing.length, 'message')} failing now: ${last.reason} (${plural(last.failures, 'time')} of ${receives}, ` +
      `since ${age(last.first_failed_at, now)}); next try in ${duration(next)}: npm run find -- ${last.event_id ?? last.message_id}`,
  ]
}

function disabled({ notifications }: Truth): string[] {
  if (notifications.kind !== 'answered') return []
  return notifications.value.disabled.map(({ endpoint, reason }) => `endpoint ${endpoint} is disabled: ${reason}`)
}

function reasonOf({ last_error }: Stuck): string {
  return last_error ?? 'no reason was noted'
}

function since({ created_at }: Stuck, now: number): string {
  return age(created_at, now)
}

function age(at: Date, now: number): string {
  return duration(Math.max(0, (now - at.getTime()) / 1000))
}

function inTime(at: Date | null, now: number): string {
  const seconds = at === null ? 0 : (at.getTime() - now) / 1000
  return seconds <= 0 ? 'now' : `in ${duration(seconds)}`
}
