import { randomUUID } from 'node:crypto'
import { databaseOutage } from '@product-events/outages'
import { DatabaseTimeout, type Sql, type Transactions, withinTime } from './database.ts'
import type { EventOf, InboxEvent } from './event.ts'
import type { Entry, Store, Stored } from './group-commit.ts'
import { EventError } from './isolate-kind.ts'
import { lockSequences, record, type Recorded, type RecordTarget, saveSequences } from './record.ts'

/** Runs in the transaction that records the event. An error rolls the event's effect back. */
export type Handler<Event, Tx> = (event: Event, tx: Tx) => Promise<unknown>
/** The same for all new events of the type that arrived together: one statement for many. */
export interface BulkHandler<Event, Tx> {
  many: (events: Event[], tx: Tx) => Promise<unknown>
}

export type Handlers<Events, Tx> = {
  [Type in keyof Events & string]?:
    Handler<InboxEvent<Type, Events[Type]>, Tx> | BulkHandler<InboxEvent<Type, Events[Type]>, Tx>
}

/** A harmless event of each type, such as one about a key that does not exist. */
export type Samples<Events> = { [Type in keyof Events & string]?: () => InboxEvent<Type, Events[Type]> }

export interface HandlerOptions<Events, Tx> {
  transactions: Transactions<Tx>
  target: RecordTarget
  handlers: Handlers<Events, Tx>
  samples?: Samples<Events> | undefined
  ignoreStale?: boolean | undefined
  handlerTimeoutMs: number
}

/** Ends a transaction that must leave no trace. */
class RolledBack extends Error {}

/** A store whose effects are what handlers do: all events of a part share a transaction with the records of them. */
export function handlerStore<Events, Tx>(options: HandlerOptions<Events, Tx>): Store<EventOf<Events>> {
  const { transactions, target, samples = {}, ignoreStale = false, handlerTimeoutMs: timeoutMs } = options
  // Looked up by types that senders choose: an object would answer for `constructor`, too.
  const handlers = new Map(Object.entries(options.handlers)) as Map<string, AnyHandler<Tx> | undefined>

  return {
    handles: ({ type }) => handlers.has(type),
    kindOf: ({ type }) => type,
    isOutage: (error) => error instanceof DatabaseTimeout,
    store: (entries) => transactions.run((tx, sql) => handleAll(tx, sql, entries)),
    async probe(kind) {
      const sample = (samples as Record<string, (() => InboxEvent) | undefined>)[kind]?.()
      try {
        await transactions.run(async (tx, sql) => {
          const event = { id: randomUUID(), type: kind, payload: null, ...sample }
          const entry = { message: {}, event, content: '0' }
          await record(sql, target, [entry])
          if (sample) await runHandler(handlers.get(kind), [entry], { tx, sql, timeoutMs })
          throw new RolledBack()
        })
      } catch (error) {
        if (!(error instanceof RolledBack)) throw error
      }
      return sample !== undefined
    },
  }

  async function handleAll(tx: Tx, sql: Sql, entries: readonly Entry[]): Promise<Stored[]> {
    const recorded = await record(sql, target, entries)
    const stale = ignoreStale ? await skipStale(sql, target, entries, recorded) : new Set<Entry>()
    const fresh = entries.filter((entry, index) => recorded[index]?.kind === 'new' && !stale.has(entry))
    const done = new Set<Entry>()
    for (const entry of fresh) {
      if (done.has(entry)) continue
      const handler = handlers.get(entry.event.type)
      const together = isBulk(handler) ? fresh.filter(({ event }) => event.type === entry.event.type) : [entry]
      await runHandler(handler, together, { tx, sql, timeoutMs })
      for (const one of together) done.add(one)
    }
    return entries.map((entry, index) => {
      if (stale.has(entry)) return { kind: 'stale' }
      const known = recorded[index]
      return known?.kind === 'duplicate' ? known : { kind: 'stored' }
    })
  }
}

/** Runs one handler. An error is that of the event, if there is only one, unless the transaction itself is gone. */
async function runHandler<Tx>(
  handler: AnyHandler<Tx> | undefined,
  entries: Entry[],
  { tx, sql, timeoutMs }: { tx: Tx; sql: Sql; timeoutMs: number },
): Promise<void> {
  const [first] = entries
  if (!handler || !first) return
  const what = `the handler of ${first.event.type} is not done`
  try {
    const events = entries.map(({ event }) => event)
    await withinTime(isBulk(handler) ? handler.many(events, tx) : handler(first.event, tx), timeoutMs, what)
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    if (databaseOutage(error) !== undefined) await throwIfGone(sql)
    throw entries.length === 1 ? new EventError(first, error) : error
  }
}

/** The new events that are older than one of their key that was handled before. Saves the sequences of the others. */
async function skipStale(
  sql: Sql,
  target: RecordTarget,
  entries: readonly Entry[],
  recorded: readonly Recorded[],
): Promise<Set<Entry>> {
  const fresh = entries.filter((_, index) => recorded[index]?.kind === 'new')
  const last = await lockSequences(sql, target, fresh)
  const stale = new Set<Entry>()
  for (const entry of fresh) {
    const { key, sequence } = entry.event
    if (key === undefined || sequence === undefined) continue
    if (BigInt(sequence) <= (last.get(key) ?? 0n)) stale.add(entry)
    else last.set(key, BigInt(sequence))
  }
  await saveSequences(sql, target, last)
  return stale
}

type AnyHandler<Tx> = Handler<InboxEvent, Tx> | BulkHandler<InboxEvent, Tx>

function isBulk<Tx>(handler: AnyHandler<Tx> | undefined): handler is BulkHandler<InboxEvent, Tx> {
  return typeof handler === 'object' && 'many' in handler
}

/** A handler may call other systems: only when the transaction does not answer either is the database unreachable. */
async function throwIfGone(sql: Sql): Promise<void> {
  await sql.query('SELECT 1', []).catch((error: unknown) => {
    if (databaseOutage(error) !== undefined) throw error
  })
}
