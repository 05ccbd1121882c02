import type pg from 'pg'
import { BEGINNING, type Place } from './read-on.ts'

/**
 * A place for a reader to resume from. Not `exact`: the reader may get notifications again, and may have missed some.
 */
export interface FoundPlace {
  place: Place
  exact: boolean
}

/** The clocks of instances, and the time from an id to its commit. The reader knows what it gets again for it. */
const BEFORE_MS = 60_000
/** The ids of notifications are UUIDs of version 7, which begin with the time. */
const VERSION_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i

/**
 * The place behind the notification of that id. If it is gone (its retention ended, or the database was restored to an
 * earlier state) the place is a minute before the time in its id; undefined for an id that none of ours can be.
 */
export async function findPlace(pool: pg.Pool, id: string): Promise<FoundPlace | undefined> {
  if (id === BEGINNING.id) return { place: BEGINNING, exact: true }
  const exact = await placeOf(pool, id)
  if (exact) return { place: exact, exact: true }
  return VERSION_7.test(id) ? { place: await placeBefore(pool, idAt(timeOf(id) - BEFORE_MS)), exact: false } : undefined
}

async function placeOf(pool: pg.Pool, id: string): Promise<Place | undefined> {
  const { rows } = await pool.query<{ position: string; id: string }>(
    'SELECT position, id FROM public.notifications WHERE id = $1',
    [id],
  )
  return rows[0] && { position: BigInt(rows[0].position), id: rows[0].id }
}

/** By the index of the ids, which are in the order of time. */
async function placeBefore(pool: pg.Pool, id: string): Promise<Place> {
  const { rows } = await pool.query<{ position: string; id: string }>(
    'SELECT position, id FROM public.notifications WHERE id < $1 ORDER BY id DESC LIMIT 1',
    [id],
  )
  return rows[0] ? { position: BigInt(rows[0].position), id: rows[0].id } : BEGINNING
}

/** Milliseconds since 1970: the first 48 bits (RFC 9562, section 5.7). */
function timeOf(id: string): number {
  return Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
}

function idAt(ms: number): string {
  const time = Math.max(0, ms).toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`
}
