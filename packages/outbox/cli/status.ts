import { duration, harmless, plural, ranges, table } from '@product-events/terminal'
import type { Tables } from '../database.ts'
import { listEvents } from '../find.ts'
import { backlog } from '../backlog.ts'

/** A person waits, and wants the number itself. */
const COUNT_ALL = 2_147_483_647
/** Up to this many counting is exact, and takes some milliseconds; beyond it the planner's estimate is shown. */
const COUNT_UP_TO = 10_000

interface RelayLine {
  id: string
  name: string
  lanes: number[]
  /** Below zero: it has run out. */
  lease_seconds: number
}

/** A look that costs the same however many processed events there are. */
export async function readStatus(tables: Tables) {
  const { pending, failed, dead, oldestSeconds } = await backlog(tables, COUNT_ALL)
  const processed = await countProcessed(tables, pending + failed + dead)
  const [oldestDead] = await listEvents(tables, { status: 'dead' }, '0', 1)
  return {
    events: { pending, failed, dead, processed: processed.count },
    processed_is: processed.is,
    oldest_pending_seconds: oldestSeconds,
    oldest_dead: oldestDead ?? null,
    relays: await relays(tables),
    free_lanes: await freeLanes(tables),
  }
}

export function statusText(status: Awaited<ReturnType<typeof readStatus>>): string {
  const { events, oldest_dead: dead, relays, free_lanes: free } = status
  const counts = table(
    ['STATUS', 'EVENTS', ''],
    [
      ['pending', events.pending, 'not published yet'],
      ['failed', events.failed, 'refused; the relay retries'],
      ['dead', events.dead, 'not retried until an operator acts: list, show, redrive'],
      [
        'processed',
        `${status.processed_is === 'exact' ? '' : `${status.processed_is} `}${events.processed}`,
        'published; kept for the retention',
      ],
    ],
  )
  const waiting = events.pending + events.failed
  const oldest = waiting > 0 ? `The oldest pending or failed event: ${duration(status.oldest_pending_seconds)}.\n` : ''
  const oldestDead = dead
    ? `The oldest dead event: ${dead.id}, of ${dead.created_at}: ${harmless(dead.last_error ?? 'no reason')}\n`
    : ''
  const alive = table(
    ['RELAY', 'LEASE', 'LANES', ''],
    relays.map(({ name, lanes, lease_seconds: left }) => [
      name,
      left > 0 ? `${duration(left)} left` : `ran out ${duration(-left)} ago`,
      lanes.length,
      ranges(lanes),
    ]),
  )
  const noRelay = relays.some(({ lease_seconds: left }) => left > 0)
    ? ''
    : 'No relay is alive: no event is published.\n'
  const withoutRelay = free.length > 0 ? `${plural(free.length, 'lane')} without a relay: ${ranges(free)}\n` : ''
  return `${counts}${oldest}${oldestDead}\n${relays.length > 0 ? alive : ''}${noRelay}${withoutRelay}`
}

/** An exact count, the planner's estimate, or, where nothing has analysed the table yet, how far the counting went. */
type Processed = { count: number; is: 'exact' | 'about' | 'at least' }

async function countProcessed({ db, schema }: Tables, others: number): Promise<Processed> {
  const { rows } = await db.query<{ counted: number; estimate: number }>(
    `SELECT (SELECT count(*)::int FROM (SELECT FROM ${schema}.events WHERE status = 'processed' LIMIT $1) AS first) AS counted,
            (SELECT reltuples::float8 FROM pg_class WHERE oid = to_regclass($2)) AS estimate`,
    [COUNT_UP_TO + 1, `${schema}.events`],
  )
  const { counted, estimate: all } = rows[0] ?? { counted: 0, estimate: 0 }
  if (counted <= COUNT_UP_TO) return { count: counted, is: 'exact' }
  const estimate = Math.round(all) - others
  return estimate > counted ? { count: estimate, is: 'about' } : { count: counted, is: 'at least' }
}

async function relays({ db, schema }: Tables): Promise<RelayLine[]> {
  const { rows } = await db.query<Omit<RelayLine, 'lease_seconds'> & { lease_ms: string }>(
    `SELECT id::text, name, (1000 * extract(epoch FROM expires_at - clock_timestamp()))::bigint::text AS lease_ms,
            ARRAY(SELECT lane FROM ${schema}.outbox_lanes WHERE relay = outbox_relays.id ORDER BY lane) AS lanes
     FROM ${schema}.outbox_relays
     ORDER BY outbox_relays.id`,
    [],
  )
  return rows.map(({ lease_ms: ms, ...relay }) => ({ ...relay, lease_seconds: Number(ms) / 1000 }))
}

async function freeLanes({ db, schema }: Tables): Promise<number[]> {
  const { rows } = await db.query<{ lane: number }>(
    `SELECT lane FROM ${schema}.outbox_lanes WHERE relay IS NULL ORDER BY lane`,
    [],
  )
  return rows.map(({ lane }) => lane)
}
