import type pg from 'pg'

type Database = Pick<pg.Pool, 'query'>

/** 450 points of two seconds are 15 minutes: as many as the picture has room for. */
export const POINT_SECONDS = 2
export const POINTS = 450
/** Rows that one look may count: some tens of milliseconds. What is older stays unknown. */
const MOST_ROWS = 50_000
/** The newest points are counted again: transactions commit late, and the current point is not over. */
const AGAIN = 3

/** Rows of two seconds, by the number of these two seconds since 1970. `newest` is the last id among them. */
export interface Count {
  point: number
  count: number
  newest: string
}

/** Counts the rows above the id `after`, from the point `from` on. */
export type CountRows = (from: number, after: string) => Promise<Count[]>

export async function countWritten(db: Database, from: number, after: string): Promise<Count[]> {
  const { rows } = await db.query<Count>(
    `SELECT floor(extract(epoch FROM created_at) / $1)::int AS point, count(*)::int AS count, max(id) AS newest
     FROM (SELECT id, created_at FROM public.events WHERE id > $3 ORDER BY id DESC LIMIT $4) AS newest
     WHERE created_at >= to_timestamp($2::float8 * $1)
     GROUP BY point`,
    [POINT_SECONDS, from, after, MOST_ROWS],
  )
  return rows
}

export async function countNotified(db: Database, from: number, after: string): Promise<Count[]> {
  const { rows } = await db.query<Count>(
    `SELECT floor(extract(epoch FROM received_at) / $1)::int AS point, count(*)::int AS count, max(position) AS newest
     FROM (SELECT position, received_at FROM public.notifications WHERE position > $3 ORDER BY position DESC LIMIT $4) AS newest
     WHERE received_at >= to_timestamp($2::float8 * $1)
     GROUP BY point`,
    [POINT_SECONDS, from, after, MOST_ROWS],
  )
  return rows
}

/** The last 15 minutes. The first read counts all of them, each further one only the newest points. */
export interface History {
  read(): Promise<void>
  /** Per second, oldest first; null where nothing is known. */
  points(nowMs: number): (number | null)[]
}

export function createHistory(countRows: CountRows): History {
  const counts = new Map<number, Omit<Count, 'point'>>()
  let readUntil = -Infinity
  return {
    async read() {
      const current = pointOf(Date.now())
      const from = Math.max(current - POINTS, readUntil - AGAIN)
      const before = [...counts.keys()].filter((point) => point < from && counts.get(point)?.newest !== '0')
      const after = before.length === 0 ? '0' : (counts.get(Math.max(...before))?.newest ?? '0')
      const fresh = new Map((await countRows(from, after)).map((row) => [row.point, row]))
      const known = { count: 0, newest: '0' }
      for (let point = from; point <= current; point++) counts.set(point, fresh.get(point) ?? known)
      for (const point of counts.keys()) if (point < current - POINTS) counts.delete(point)
      readUntil = current
    },
    points(nowMs) {
      const last = pointOf(nowMs) - 1
      return Array.from({ length: POINTS }, (_, index) => {
        const known = counts.get(last - POINTS + 1 + index)
        return known === undefined ? null : known.count / POINT_SECONDS
      })
    },
  }
}

function pointOf(ms: number): number {
  return Math.floor(ms / 1000 / POINT_SECONDS)
}
