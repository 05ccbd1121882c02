import type pg from 'pg'
import { beforeEach, describe, expect, test } from 'vitest'
import type { AdaptedTransaction } from '../adapters.ts'
import { createOutbox, type NewEvent } from '../index.ts'

/** Runs `work` in a transaction of one library, which rolls back when `work` rejects. */
export type InTransaction = (work: (tx: AdaptedTransaction) => Promise<void>) => Promise<unknown>

/** Whatever a library reads as a placeholder, an escape or the end of a string. */
const HOSTILE = `it's $1 $$ \\ ? \\? ?? :name \${x} @p "q" 🫖`

const events: NewEvent[] = [
  {
    id: '01a202ac-4eb7-784d-a155-84ebad6833ec',
    key: HOSTILE,
    type: 'x',
    payload: { price: 12.5, text: `"$2" \\n ü ${HOSTILE}`, none: null, list: [1] },
    headers: { traceparent: '00-1' },
  },
  { id: '01a202ac-4eb7-784d-a155-84ebad6833ed', key: 'b', type: 'y', payload: 'just text' },
  { id: '01a202ac-4eb7-784d-a155-84ebad6833ee', key: 'c', type: 'z', payload: null },
]

/**
 * What every adapter must do. `pool` is another connection to the same database, with the outbox in schema `public`.
 */
export function testAdapters(libraries: Record<string, InTransaction>, pool: () => pg.Pool): void {
  const outbox = createOutbox({ schema: 'public' })
  beforeEach(async () => void (await pool().query('TRUNCATE events')))

  describe.each(Object.entries(libraries))('append in a transaction of %s', (_library, inTransaction) => {
    test('writes the events, whole, when it commits, and not before', async () => {
      await inTransaction(async (tx) => {
        await outbox.append(tx, events)
        expect((await pool().query('SELECT FROM events')).rowCount).toBe(0)
        expect((await tx.query('SELECT key FROM events ORDER BY id', [])).rows).toEqual(
          events.map(({ key }) => ({ key })),
        )
      })
      const { rows } = await pool().query(
        'SELECT event_id AS id, key, type, payload, headers FROM events ORDER BY events.id',
      )
      expect(rows).toEqual(events.map((event) => ({ headers: {}, ...event })))
    })

    test('writes nothing when it rolls back', async () => {
      const failed = inTransaction(async (tx) => {
        await outbox.append(tx, events)
        throw new Error('changed my mind')
      })
      await expect(failed).rejects.toThrow('changed my mind')
      expect((await pool().query('SELECT FROM events')).rowCount).toBe(0)
    })

    test('fails the transaction with the error of the server', async () => {
      const failed = inTransaction((tx) => outbox.append(tx, [{ id: 'no uuid', key: 'a', type: 'x', payload: 1 }]))
      // Some libraries wrap it.
      const { message, cause } = await failed.then(
        () => new Error('no error'),
        (error: Error) => error,
      )
      expect(`${message} ${(cause as Error | undefined)?.message}`).toContain('invalid input syntax for type uuid')
    })

    test('takes placeholders in any order and more than once, and question marks in names', async () => {
      await inTransaction(async (tx) => {
        const text = 'SELECT $2::text AS "a ? b", $1::text || $2::text AS b'
        expect((await tx.query(text, ['one', HOSTILE])).rows).toEqual([{ 'a ? b': HOSTILE, b: `one${HOSTILE}` }])
      })
    })
  })
}
