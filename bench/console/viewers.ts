import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { Figures } from '../scenario.ts'
import { CONSOLE_ROLE } from './start-console.ts'

/** What `seconds` of the poller cost while `count` viewers read its stream. */
export async function costOfViewers(
  count: number,
  { console, products, seconds }: { console: { url: string; pid: number }; products: pg.Pool; seconds: number },
): Promise<Figures> {
  const leaving = new AbortController()
  let snapshots = 0
  const viewers = Array.from({ length: count }, async () => {
    const response = await fetch(`${console.url}api/stream`, { signal: leaving.signal })
    for await (const _ of response.body ?? []) snapshots++
  })
  // The first look counts 15 minutes of history, and the first seconds compile.
  await sleep(3_000)
  const before = { statements: await statements(products), cpuMs: await cpuMs(console.pid), snapshots }
  await sleep(seconds * 1_000)
  const after = { statements: await statements(products), cpuMs: await cpuMs(console.pid), snapshots }
  leaving.abort()
  // Each ends with the error of the abort.
  await Promise.allSettled(viewers)
  return {
    'statements/s': (after.statements - before.statements) / seconds,
    'processor ms/s': (after.cpuMs - before.cpuMs) / seconds,
    'snapshots/s and viewer': (after.snapshots - before.snapshots) / seconds / Math.max(1, count),
  }
}

/** The console's own, in both databases; the services have another role. */
async function statements(products: pg.Pool): Promise<number> {
  const { rows } = await products.query<{ count: string }>(
    `SELECT coalesce(sum(calls), 0)::text AS count
     FROM pg_stat_statements(showtext => false) AS statements JOIN pg_roles ON pg_roles.oid = statements.userid
     WHERE rolname = $1`,
    [CONSOLE_ROLE],
  )
  return Number(rows[0]?.count)
}

/** Processor time of a process, from the clock ticks of which Linux has a hundred a second. */
async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
