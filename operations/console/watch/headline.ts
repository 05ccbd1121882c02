import type { Verdict } from '../answers.ts'
import { windowOf } from '../../status/window.ts'
import type { Finding } from './verdict.ts'
import type { View } from './view.ts'
import { duration } from './words.ts'

/** The first finding as the verdict of the whole, or that all is well. */
export function verdictOf(view: View, findings: readonly Finding[]): Verdict {
  const [first, ...others] = findings
  if (first) {
    const { level, headline, detail, actions } = first
    const also = others.filter(({ headline }) => !first.headline.includes(headline)).map(({ headline }) => headline)
    return {
      level,
      headline,
      detail: also.length === 0 ? detail : `${detail} Also: ${also.join(' ')}`,
      actions: [...actions, ...others.flatMap(({ actions }) => actions)],
    }
  }
  const asked = [view.products, view.notifications, view.queue].every(({ kind }) => kind === 'answered')
  if (!asked)
    return {
      level: 'unknown',
      headline: 'One moment.',
      detail: 'PostgreSQL, SQS and the services are being asked.',
      actions: [],
    }
  return { level: 'good', headline: 'Every event arrives.', detail: allIsWell(view), actions: [] }
}

function allIsWell(view: View): string {
  const notifications = windowOf(
    view.before.filter(({ service }) => service === 'notification-service'),
    view.after.filter(({ service }) => service === 'notification-service'),
  )
  const rate = notifications.rate('notifications_total')
  const p95 = notifications.p95('notification_delay_seconds')
  if (!rate || p95 === undefined)
    return 'No event waits, and none needs an operator. Nothing was written in the last seconds.'
  return `${rate.toFixed(1)} a second, 95 % of them notified within ${duration(p95)} of being written. None waits.`
}
