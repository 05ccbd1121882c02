import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { append, createRelay } from '../index.ts'
import { newEvent, statuses, testBroker } from '../testing/outbox.ts'
import { commandForTest } from './testing/command.ts'

let command: Awaited<ReturnType<typeof commandForTest>>
beforeAll(async () => {
  command = await commandForTest(inject('postgresUrl'))
})
beforeEach(() => command.empty())
afterAll(() => command.db.end())

/** More events than one statement looks at, processed an hour ago but for the last ten. */
async function published() {
  const events = Array.from({ length: 2_500 }, (_, n) => newEvent(`key-${n % 50}`, n))
  await append(command.db, events)
  await command.db.query(
    `UPDATE events SET status = 'processed', processed_at = clock_timestamp() -
       CASE WHEN id > 2490 THEN interval '1 minute' ELSE interval '1 hour' END`,
  )
  return events
}
const tenMinutesAgo = () => new Date(Date.now() - 600_000).toISOString()

test('resend --since publishes every event again that was processed at that time or later, in order, and no other', async () => {
  const { db, outbox, json } = command
  await published()
  await append(db, [newEvent('pending'), newEvent('dead')])
  await db.query(`UPDATE events SET status = 'dead' WHERE key = 'dead'`)
  const since = tenMinutesAgo()
  expect(await json(`resend --since ${since} --dry-run`)).toEqual({
    dry_run: true,
    interrupted: false,
    resent: 0,
    events: 10,
  })
  expect(await statuses(db)).toEqual({ processed: 2_500, pending: 1, dead: 1 })
  const { code, stdout } = await outbox(`resend --since ${since} --by ann`)
  expect([code, stdout]).toEqual([
    0,
    '10 processed events set to pending. Relays publish them after their next poll.\n',
  ])
  const broker = testBroker()
  const relay = createRelay({ db, send: broker.send })
  await relay.drainOnce()
  await relay.release()
  expect(broker.accepted.map(({ id }) => Number(id)).toSorted((a, b) => a - b)).toEqual([
    ...Array.from({ length: 10 }, (_, n) => 2_491 + n),
    2_501,
  ])
  const { rows } = await db.query(
    `SELECT DISTINCT redriven_by, redriven_count FROM events WHERE id BETWEEN 2491 AND 2500`,
  )
  expect(rows).toEqual([{ redriven_by: 'ann', redriven_count: 1 }])
  expect(await json(`resend --since ${new Date(0).toISOString()}`)).toMatchObject({ resent: 2_501 })
})

test('resend takes ids, and changes nothing if one of them is not processed', async () => {
  const { db, outbox } = command
  const events = await published()
  await append(db, [newEvent('a')])
  const refused = await outbox('resend 1 2501 9999')
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toMatch(/no event 9999[^]*event 2501 is pending[^]*Nothing was changed\./)
  expect((await outbox(`resend 1 ${events[1]!.id}`)).stdout).toMatch(/^2 processed events set to pending/)
  expect((await outbox(`resend --id ${events[2]!.id}`)).code).toBe(0)
  expect(await statuses(db)).toEqual({ processed: 2_497, pending: 4 })
})

test.each(['resend', 'resend 1 --since 2026-11-26T02:30:00Z', 'resend --since yesterday', 'resend --since 2026-11-26'])(
  '%s is not understood',
  async (line) => {
    expect((await command.outbox(line)).code).toBe(2)
  },
)
