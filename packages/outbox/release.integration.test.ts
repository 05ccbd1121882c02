import { expect, inject, test } from 'vitest'
import { append, createRelay, type Database, LANES } from './index.ts'
import { freshOutbox, newEvent } from './testing/outbox.ts'

test('lanes are given back only when what has left has arrived, also when the database failed meanwhile', async () => {
  const db = await freshOutbox(inject('postgresUrl'))
  const answer = Promise.withResolvers<void>()
  const left = Promise.withResolvers<void>()
  let away = false
  const query: Database['query'] = (text, values) =>
    away && /^UPDATE \S+\.events/.test(text)
      ? Promise.reject(new Error('the database is away'))
      : db.query(text, values)
  const relay = createRelay({
    db: { query },
    batchSize: 1,
    async send([event]) {
      if (event!.key === 'slow') {
        left.resolve()
        await answer.promise
      }
      return { outcomes: new Map([[event!.id, { kind: 'accepted' }]]) }
    },
  })
  away = true
  await append(db, [newEvent('slow'), newEvent('quick')])
  await expect(relay.drainOnce()).rejects.toThrow('the database is away')
  await left.promise
  let released = false
  const releasing = relay.release().then(() => (released = true))
  const { rows } = await db.query('SELECT count(*)::int AS owned FROM outbox_lanes WHERE relay IS NOT NULL')
  expect(rows).toEqual([{ owned: LANES }])
  expect(released).toBe(false)
  answer.resolve()
  await releasing
  await db.end()
})
