import { createHash } from 'node:crypto'
import type { Group, Source } from '../answers.ts'

/** One thing that waits for an operator. */
export interface Item {
  /** Outbox id of an event or delivery, message id of a message. */
  id: string
  event_id: string | null
  type: string
  /** The product or the body: enough to recognise the item. */
  about: string
  product: string | null
  reason: string
  attempts: number
  at: Date | null
}

/** Items of a group that the page shows at once. */
const SHOWN = 20

/** Ids and numbers differ from item to item although the reason is the same. */
export function groupKey(reason: string): string {
  const pattern = reason
    .toLowerCase()
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22,}/g, '#')
    .replaceAll(/\b[0-9a-f]{12,}\b/g, '#')
    .replaceAll(/\d[\d.,]*/g, '#')
  return createHash('sha256').update(pattern).digest('hex').slice(0, 16)
}

/** Items with the same kind of reason together, the largest group first. */
export function groupsOf(source: Source, items: readonly Item[]): Group[] {
  const groups = Map.groupBy(items, ({ reason }) => groupKey(reason))
  return [...groups]
    .map(([key, members]) => groupOf(source, key, members))
    .toSorted((one, other) => other.count - one.count)
}

function groupOf(source: Source, key: string, items: readonly Item[]): Group {
  const times = items.flatMap(({ at }) => (at === null ? [] : [at.getTime()])).toSorted((one, other) => one - other)
  const { reason } = items[0] as Item
  return {
    source,
    key,
    reason,
    ...adviceOn(source, reason),
    count: items.length,
    products: new Set(items.flatMap(({ product }) => product ?? [])).size,
    attempts: Math.max(...items.map(({ attempts }) => attempts)),
    first_at: timeOf(times[0]),
    last_at: timeOf(times.at(-1)),
    items: items.slice(0, SHOWN).map(({ id, type, about, at, event_id }) => ({
      id,
      type,
      about,
      at: at?.toISOString() ?? null,
      find: event_id ?? id,
    })),
  }
}

function timeOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}

function adviceOn(source: Source, reason: string): { advice: string; can_redrive: boolean } {
  if (source === 'failing')
    return { advice: 'SQS gives it to the consumer again every 30 s, five times in all.', can_redrive: false }
  if (source === 'messages')
    return /^no event/i.test(reason)
      ? {
          advice: 'The body is no event. A redrive helps only after the consumer accepts it; otherwise delete it.',
          can_redrive: true,
        }
      : { advice: 'Redrive it once the reason is gone.', can_redrive: true }
  if (/too large/i.test(reason))
    return { advice: 'It never fits into a message of SQS: a redrive fails again.', can_redrive: false }
  if (/AccessDenied|KMS|credential/i.test(reason))
    return { advice: 'Grant the relay the right that it lacks, then redrive.', can_redrive: true }
  if (source === 'deliveries') return { advice: 'Repair the endpoint, then redrive.', can_redrive: true }
  return { advice: 'Remove the reason, then redrive.', can_redrive: true }
}
