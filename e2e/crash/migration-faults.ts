import { type Harm, rest, type Strike } from './harm.ts'

/** The lock of packages/database/migrate.ts. */
const LOCK_KEY = '7241865325823964'
/** Longer than a process waits for the lock before it tries again. */
const HOLD_MS = { low: 3_000, high: 9_000 }
/** A start on a busy machine takes some seconds. A consumer that was frozen just then is never due to migrate. */
const START_MS = 15_000
const LOOK_EVERY_MS = 250
const STARTS = 6
const NEVER = new AbortController().signal

/** One at a time: two of them would take the migration away from each other. */
export function migrationFaults(harm: Harm): Strike[] {
  let underWay = false
  return [
    async (signal) => {
      if (underWay) return
      underWay = true
      await freezeLockHolder(harm, signal).finally(() => (underWay = false))
    },
  ]
}

/**
 * A migrator that is frozen while it holds the lock, and a consumer that starts meanwhile with a migration due: it must
 * wait, and go on when the lock is free. The migration is one that adds a table which is empty here.
 */
async function freezeLockHolder(harm: Harm, signal: AbortSignal): Promise<void> {
  const db = harm.stack.direct.notifications
  const holder = await db.connect().catch(() => undefined)
  if (holder === undefined) return
  holder.on('error', () => {}) // the server was killed; its lock with it
  try {
    await holder.query(`SELECT pg_advisory_lock(${LOCK_KEY})`)
    await db.query(
      `WITH due AS (DELETE FROM public.notification_service_migrations WHERE name LIKE '0003_channels%') SELECT;
       DROP TABLE public.disabled_endpoints`,
    )
    harm.count('frozen lock holder')
    await restartConsumer(harm)
    await rest(harm.random.between(HOLD_MS.low, HOLD_MS.high), signal)
  } catch {
    // the database is down, or locked by another fault
  } finally {
    holder.release(true)
  }
  for (let start = 0; start < STARTS && !(await isMigrated(harm)); start++) await restartConsumer(harm)
}

async function restartConsumer({ stack, random, frozen }: Harm): Promise<void> {
  const consumers = stack.members.filter((member) => member.kind === 'consumer' && !frozen.has(member))
  await random.pick(consumers)?.signal('SIGKILL')
}

/** Resolves with false when no process has run the migration by the time that a start may take. */
async function isMigrated({ stack }: Harm): Promise<boolean> {
  for (const until = performance.now() + START_MS; performance.now() < until; await rest(LOOK_EVERY_MS, NEVER)) {
    const found = await stack.direct.notifications
      .query<{ found: boolean }>("SELECT to_regclass('public.disabled_endpoints') IS NOT NULL AS found")
      .catch(() => undefined)
    if (found?.rows[0]?.found) return true
  }
  return false
}
