import type pg from 'pg'
import type { Action, Level } from '../answers.ts'
import { storedAt } from '../watch/notifications.ts'
import type { ActionRow } from './record.ts'

type Database = Pick<pg.Pool, 'query'>

/** What became of the items of an action until now. */
export interface Became {
  /** Rows of the outbox by their status; pruned ones are missing. */
  status: Map<string, number>
  notified: number
}

export async function becameOf(
  action: ActionRow,
  { products, notifications }: { products: Database; notifications: Database },
): Promise<Became> {
  const stored = await storedAt(notifications, action.event_ids)
  if (action.source === 'messages') return { status: new Map(), notified: stored.size }
  const db = action.source === 'events' ? products : notifications
  const { rows } = await db.query<{ status: string; count: number }>(
    'SELECT status, count(*)::int AS count FROM public.events WHERE id = ANY ($1::bigint[]) GROUP BY status',
    [action.ids],
  )
  return { status: new Map(rows.map(({ status, count }) => [status, count])), notified: stored.size }
}

/** The action as the page shows it, with its outcome in words. `became` is undefined when no database answers. */
export function describeAction(action: ActionRow, became: Became | undefined): Action {
  const { id, at, who, what, source, why, ids, state, done } = action
  const { outcome, level } = became === undefined ? unknown(action) : outcomeOf(action, became)
  return {
    id,
    at: at.toISOString(),
    who,
    what: `${what === 'redrive' ? 'redrove' : 'deleted'} ${nameOf(source, ids.length)}`,
    why,
    count: ids.length,
    state,
    outcome: state === 'running' ? `${done} of ${ids.length}…` : outcome,
    level: state === 'running' ? 'busy' : level,
  }
}

function unknown({ done, ids }: ActionRow): { outcome: string; level: Level } {
  return { outcome: `${done} of ${ids.length} done; what became of them is unknown now`, level: 'unknown' }
}

function outcomeOf(action: ActionRow, { status, notified }: Became): { outcome: string; level: Level } {
  const stopped = action.state === 'stopped' ? `stopped after ${action.done} of ${action.ids.length}` : ''
  if (action.what === 'delete')
    return { outcome: stopped || `${action.done} deleted`, level: stopped ? 'wrong' : 'good' }
  const published = status.get('processed') ?? 0
  const waiting = (status.get('pending') ?? 0) + (status.get('failed') ?? 0)
  const deadAgain = action.state === 'stopped' ? 0 : (status.get('dead') ?? 0)
  const known = action.event_ids.length
  const parts = [
    stopped,
    action.source === 'messages'
      ? `${action.done} sent`
      : `${published} ${action.source === 'events' ? 'published' : 'delivered'}`,
    action.source === 'deliveries' ? '' : `${notified} notified`,
    waiting > 0 ? `${waiting} on the way` : '',
    deadAgain > 0 ? `${deadAgain} dead again` : '',
  ].filter(Boolean)
  const arrived = action.source === 'deliveries' ? published : notified
  const all = arrived >= Math.max(known, action.ids.length)
  return { outcome: parts.join(', '), level: stopped || deadAgain > 0 ? 'wrong' : all ? 'good' : 'busy' }
}

function nameOf(source: ActionRow['source'], count: number): string {
  const names = {
    events: ['dead event', 'dead events'],
    deliveries: ['abandoned delivery', 'abandoned deliveries'],
    messages: ['message of the dead-letter queue', 'messages of the dead-letter queue'],
  }
  return `${count} ${names[source][count === 1 ? 0 : 1]}`
}
