import type pg from 'pg'
import { type Harm, rest, type Strike } from './harm.ts'

/** Some are over before a statement gives up on its lock, some are not. */
const FAULT_MS = { low: 500, high: 8_000 }

type Which = 'products' | 'notifications'

const tables: Record<Which, readonly string[]> = {
  products: ['products', 'events', 'outbox_lanes', 'outbox_relays', 'idempotency_keys'],
  notifications: ['notifications', 'failed_messages'],
}

/** Faults that a database does to its users, by the hand of its administrator: past all networks, as superuser. */
export function databaseFaults(harm: Harm): Strike[] {
  const ofEach = (['products', 'notifications'] as const).flatMap((which): Strike[] => [
    (signal) => turnReadOnly(harm, which, signal),
    (signal) => lockTable(harm, which, signal),
    (signal) => revoke(harm, which, signal),
    () => stepClock(harm, which),
  ])
  const rotate: Strike = (signal) => rotatePassword(harm, signal)
  return [...ofEach, rotate, rotate]
}

/** The database knows the new password before the file does: until then no new connection comes about. */
async function rotatePassword(harm: Harm, signal: AbortSignal): Promise<void> {
  const { password } = harm.stack
  await during(harm, 'rotated password', password.rotate, password.write, signal)
}

/** As after a failover to a standby: every session that is open ends, and each new one may only read. */
async function turnReadOnly(harm: Harm, which: Which, signal: AbortSignal): Promise<void> {
  const set = async (value: 'on' | 'off') => {
    const db = harm.stack.direct[which]
    await db.query(`ALTER ROLE ${harm.stack.role} IN DATABASE ${which} SET default_transaction_read_only = ${value}`)
    await db.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND usename = $2', [
      which,
      harm.stack.role,
    ])
  }
  await during(
    harm,
    `read-only ${which}`,
    () => set('on'),
    () => set('off'),
    signal,
  )
}

/** As a migration, or a forgotten session, does. */
async function lockTable(harm: Harm, which: Which, signal: AbortSignal): Promise<void> {
  const table = harm.random.pick(tables[which]) ?? which
  const client = await harm.stack.direct[which].connect().catch(() => undefined)
  if (client === undefined) return
  client.on('error', () => {}) // the server was killed; its lock with it
  const lock = async () => {
    await client.query('BEGIN')
    await client.query(`LOCK TABLE public.${table} IN ACCESS EXCLUSIVE MODE`)
  }
  await during(harm, `lock ${table}`, lock, () => client.query('ROLLBACK').catch(() => {}), signal).finally(() =>
    client.release(true),
  )
}

/** As a grant that was forgotten, or a migration that went wrong: everything fails alike, and no item is to blame. */
async function revoke(harm: Harm, which: Which, signal: AbortSignal): Promise<void> {
  const table = harm.random.pick(tables[which]) ?? which
  const db = harm.stack.direct[which]
  const on = `INSERT, UPDATE ON public.${table}`
  const take = () => db.query(`REVOKE ${on} FROM ${harm.stack.role}`)
  await during(harm, `revoke ${table}`, take, () => db.query(`GRANT ${on} TO ${harm.stack.role}`), signal)
}

/**
 * The clock of a database is set back or ahead by an hour: every time that it has stored is then as far in the other
 * direction.
 */
async function stepClock(harm: Harm, which: Which): Promise<void> {
  const hours = harm.random.chance(0.5) ? 1 : -1
  const shift = `make_interval(hours => ${hours})`
  const step = (db: pg.Pool) =>
    db.query(
      `WITH leases AS (UPDATE public.outbox_relays SET expires_at = expires_at + ${shift})
       UPDATE public.events SET next_attempt_at = next_attempt_at + ${shift}, failed_at = failed_at + ${shift}
       WHERE status = 'failed'`,
    )
  if (await succeeds(() => step(harm.stack.direct[which]))) harm.count(`clock ${hours > 0 ? 'back' : 'ahead'} ${which}`)
}

/**
 * A database that is down, or locked by another fault, can't be harmed any further, but its earlier harm must be
 * undone.
 */
async function during(
  { random, count }: Harm,
  fault: string,
  begin: () => Promise<unknown>,
  end: () => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  if (await succeeds(begin)) {
    count(fault)
    await rest(random.between(FAULT_MS.low, FAULT_MS.high), signal)
  }
  for (let tries = 0; tries < UNDO_TRIES && !(await succeeds(end)); tries++) await rest(UNDO_PAUSE_MS, NEVER)
}

/** A database that was killed takes a moment to be back. */
const UNDO_TRIES = 100
const UNDO_PAUSE_MS = 200
const NEVER = new AbortController().signal

async function succeeds(work: () => Promise<unknown>): Promise<boolean> {
  return work().then(
    () => true,
    () => false,
  )
}
