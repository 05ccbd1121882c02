import { freshDatabase } from '@product-events/local'
import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { append, createRelay, outboxMigrations } from '../index.ts'
import { connectForTest, newEvent, statuses, testBroker } from '../testing/outbox.ts'
import { outboxCommand } from './run.ts'

let databaseUrl: string
let db: pg.Pool
beforeAll(async () => {
  databaseUrl = await freshDatabase(inject('postgresUrl'), outboxMigrations)
  db = connectForTest(databaseUrl)
})
beforeEach(async () => {
  await db.query('TRUNCATE events RESTART IDENTITY')
})
afterAll(() => db.end())

async function outbox(line: string, { signal = new AbortController().signal, url = databaseUrl } = {}) {
  const said = { stdout: '', stderr: '' }
  const code = await outboxCommand({
    terminal: {
      args: line.split(' ').filter(Boolean),
      signal,
      stdout: (text) => (said.stdout += text),
      stderr: (text) => (said.stderr += text),
      progress: { now: () => {}, end: () => {} },
    },
    services: ['orders', 'parcels'],
    databaseUrl: () => url,
  })
  return { code, ...said }
}
/** The document of `--json`. */
const json = async (line: string): Promise<unknown> => JSON.parse((await outbox(`${line} --json`)).stdout)

/** Events of these keys, of which the ones at `dead` are dead. */
async function given(keys: string[], dead: number[]) {
  const events = keys.map((key, n) => newEvent(key, { n }))
  await append(db, events)
  await db.query(
    `UPDATE events SET status = 'dead', attempts = 10, last_error = 'InvalidMessageContents' WHERE id = ANY ($1)`,
    [dead],
  )
  return events
}

test('help is there for all and for each command, needs no database, and names every option', async () => {
  const all = await outbox('--help', { url: 'postgres://nowhere.invalid' })
  expect(all).toMatchObject({ code: 0, stderr: '' })
  for (const command of ['status', 'list', 'show', 'redrive', 'prune']) {
    expect(all.stdout).toContain(`\n  ${command}`)
    const { code, stdout } = await outbox(`${command} --help`)
    expect(code).toBe(0)
    expect(stdout).toContain(`outbox ${command}`)
  }
  expect((await outbox('redrive --help')).stdout).toMatch(
    /--all[^]*--dry-run[^]*--rate <n>[^]*--by <name>[^]*--service/,
  )
})

test.each([
  ['redirve 1', 'outbox: there is no command "redirve": it must be one of status, list'],
  ['--json', 'no command is given'],
  ['list --colour', 'there is no option --colour'],
  ['list --rate 3', 'list has no option --rate'],
  ['list --status gone', '--status must be one of dead, failed, pending, processed'],
  ['list --limit 0', '--limit must be a whole number from 1 to 1000, not "0"'],
  ['list --limit 1001', '--limit must be'],
  ['list 7', 'list takes options only'],
  ['status 7', 'status takes options only'],
  ['show', 'show takes one id, and none is given'],
  ['show 1 2', 'show takes one id, not 2'],
  ['show seven', '"seven" is no id: expected a number such as 42'],
  ['redrive', 'redrive takes one or more ids, or --all'],
  ['redrive 1 --all', 'redrive takes ids or --all, not both'],
  ['redrive 1 --rate fast', '--rate must be a whole number from 1 to 10000'],
  ['prune --older-than -1', 'older-than'],
  ['status --service nobody', '--service must be one of orders, parcels, not "nobody"'],
])('what makes no sense is told, and is code 2: %s', async (line, expected) => {
  const { code, stdout, stderr } = await outbox(line)
  expect(stderr).toContain(expected)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
})

test('a database that is away, or that has no outbox, is told in one line, and is code 1', async () => {
  const away = await outbox('status', { url: 'postgres://postgres:secret@127.0.0.1:1/x' })
  expect(away.code).toBe(1)
  expect(away.stderr).toBe(
    'outbox: PostgreSQL at postgres://127.0.0.1:1/x refused the connection (ECONNREFUSED). Is it running?\n',
  )
  const empty = await outbox('list', { url: await freshDatabase(inject('postgresUrl')) })
  expect(empty).toMatchObject({ code: 1, stderr: expect.stringContaining(' has no outbox: start its service once') })
})

test('status counts, tells the oldest, and shows which relay holds which lanes for how long', async () => {
  await given(['a', 'b', 'c', 'd'], [2])
  expect((await outbox('status')).stdout).toContain('No relay is alive')
  const relay = createRelay({ db, send: () => Promise.resolve({ outcomes: new Map(), outage: 'away' }) })
  await relay.drainOnce()
  await db.query(`UPDATE outbox_lanes SET relay = NULL WHERE lane IN (3, 4, 5, 9)`)
  expect(await json('status')).toMatchObject({
    events: { pending: 3, failed: 0, dead: 1, processed: 0 },
    processed_is: 'exact',
    oldest_dead: { id: '2', last_error: 'InvalidMessageContents' },
    relays: [{ name: expect.stringContaining(String(process.pid)), lanes: { length: 60 } }],
    free_lanes: [3, 4, 5, 9],
  })
  const { code, stdout } = await outbox('status')
  expect(code).toBe(0)
  expect(stdout).toMatch(/pending +3 /)
  expect(stdout).toMatch(/s left +60 +0-2, 6-8, 10-63/)
  expect(stdout).toContain('4 lanes without a relay: 3-5, 9')
  expect(stdout).not.toContain('No relay is alive')
  await relay.release()
})

test('list shows the dead, or another status, of one key or type, page by page', async () => {
  await given(['a', 'b', 'a', 'c', 'a'], [1, 3, 4])
  const ids = async (line: string) => ((await json(line)) as { events: { id: string }[] }).events.map(({ id }) => id)
  expect(await ids('list')).toEqual(['1', '3', '4'])
  expect(await ids('list --status pending')).toEqual(['2', '5'])
  expect(await ids('list --key a')).toEqual(['1', '3'])
  expect(await ids('list --type test.happened')).toEqual(['1', '3', '4'])
  expect(await ids('list --type other')).toEqual([])
  expect(await json('list --limit 2')).toMatchObject({ next_after: '3' })
  expect(await json('list --limit 3')).toMatchObject({ next_after: null })
  expect(await ids('list --limit 2 --after 3')).toEqual(['4'])
  const { stdout } = await outbox('list --limit 2')
  expect(stdout).toMatch(/^ID +EVENT ID +TYPE +KEY +ATTEMPTS +CREATED +LAST ERROR\n1 .*InvalidMessageContents\n3 /)
  expect(stdout).toContain('There are more: --after 3')
  expect((await outbox('list --status failed')).stdout).toBe('No event is failed.\n')
})

test('what an event says can not play with the terminal, in no command and in no form', async () => {
  const hostile = '\u001b[31mred\r\n\u009b2J\u202E\u2028\u200B'
  await append(db, [{ ...newEvent(hostile, { hostile }), headers: { hostile } }])
  await db.query(`UPDATE events SET status = 'dead', last_error = $1`, [hostile])
  for (const line of ['list', 'list --json', 'show 1', 'show 1 --json', 'status', 'redrive 1 --dry-run']) {
    const { stdout } = await outbox(line)
    for (const control of ['\u001b', '\r', '\u009b', '\u202E', '\u2028', '\u200B'])
      expect(stdout).not.toContain(control)
  }
  expect((await outbox('list')).stdout).toContain('\\u{1b}[31mred\\r\\n')
  expect(await json('show 1')).toMatchObject({ key: hostile, payload: { hostile } })
})

test('show prints a screen of a large event, and all of it when asked', async () => {
  await append(db, [newEvent('a', { text: 'x'.repeat(1_000_000) })])
  const { stdout } = await outbox('show 1')
  expect(stdout.length).toBeLessThan(6_000)
  expect(stdout).toMatch(/… 996\d+ more characters: --whole shows them\n$/)
  expect((await outbox('show 1 --whole')).stdout.length).toBeGreaterThan(1_000_000)
})

test('an event that SQS can never accept is not redriven, with the reason', async () => {
  await append(db, [newEvent('a', { text: 'x'.repeat(1_100_000) }), newEvent('b')])
  await db.query(`UPDATE events SET status = 'dead'`)
  const named = await outbox('redrive 1 2')
  expect(named).toMatchObject({ code: 1, stdout: '' })
  expect(named.stderr).toMatch(/event 1 can never be published: too large: 11\d+ bytes.*\nNothing was redriven\./)
  expect(await statuses(db)).toEqual({ dead: 2 })
  const all = await outbox('redrive --all')
  expect(all.stdout).toMatch(/Left dead[^]*1 +too large[^]*1 event redriven\./)
  expect(await statuses(db)).toEqual({ dead: 1, pending: 1 })
})

test('show finds an event by its number and by its UUID, content included', async () => {
  const [, second] = await given(['a', 'b'], [2])
  expect(await json('show 2')).toMatchObject({ id: '2', event_id: second!.id, status: 'dead', payload: { n: 1 } })
  expect(await json(`show ${second!.id.toUpperCase()}`)).toMatchObject({ id: '2' })
  expect((await outbox('show 2')).stdout).toMatch(/last_error +InvalidMessageContents[^]*payload\n{\n {2}"n": 1\n}/)
  expect(await outbox('show 99')).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no event 99') })
})

test('redrive sets a dead event to pending with all its attempts, records who and when, and a relay sends it', async () => {
  const [, second] = await given(['a', 'b'], [1, 2])
  const { code, stdout } = await outbox(`redrive 1 ${second!.id} --by ann`)
  expect(code).toBe(0)
  expect(stdout).toContain('2 events redriven. Relays find them at their next poll.')
  const { rows } = await db.query(
    `SELECT status, attempts, redriven_count, redriven_by, redriven_at > clock_timestamp() - interval '1 minute' AS just_now
     FROM events`,
  )
  const record = { status: 'pending', attempts: 0, redriven_count: 1, redriven_by: 'ann', just_now: true }
  expect(rows).toEqual([record, record])
  const broker = testBroker()
  const relay = createRelay({ db, send: broker.send })
  await relay.drainOnce()
  await relay.release()
  expect(broker.accepted.map(({ id, attempts }) => `${id}: ${attempts}`).toSorted()).toEqual(['1: 0', '2: 0'])
})

test('without --by the record names user and machine', async () => {
  await given(['a'], [1])
  await outbox('redrive 1')
  const { rows } = await db.query<{ redriven_by: string }>('SELECT redriven_by FROM events')
  expect(rows[0]!.redriven_by).toMatch(/^.+@.+$/)
})

test('a redriven event goes before younger ones of its key that wait; after how many sent ones it comes is told', async () => {
  await given(['a', 'b', 'a', 'b', 'a', 'a', 'b'], [1, 2])
  await db.query(`UPDATE events SET status = 'processed', processed_at = clock_timestamp() WHERE id IN (3, 5)`)
  const { stdout } = await outbox('redrive --all --dry-run')
  expect(stdout).toMatch(/1 +after 2 younger events of its key\n2 +in the order of its key\n/)
  expect(stdout).toContain('2 events would be redriven. Nothing was done.')
  expect(await statuses(db)).toMatchObject({ dead: 2 })

  expect(await json('redrive --all')).toEqual({
    dry_run: false,
    interrupted: false,
    redriven: 2,
    events: [
      { id: '1', after_younger: 2 },
      { id: '2', after_younger: 0 },
    ],
    never_accepted: [],
  })
  const broker = testBroker()
  const relay = createRelay({ db, send: broker.send })
  await relay.drainOnce()
  await relay.release()
  const sent = (key: string) => broker.accepted.filter((event) => event.key === key).map(({ id }) => id)
  expect(sent('a')).toEqual(['1', '6'])
  expect(sent('b')).toEqual(['2', '4', '7'])
})

test('nothing is redriven when one of the ids is not there or not dead, and each of these is told', async () => {
  await given(['a', 'b'], [1])
  const { code, stdout, stderr } = await outbox('redrive 1 2 7')
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain('there is no event 7\nevent 2 is pending, and only dead events can be redriven')
  expect(await statuses(db)).toEqual({ pending: 1, dead: 1 })
})

test('redrive --all without dead events is done at once', async () => {
  expect(await outbox('redrive --all')).toMatchObject({ code: 0, stdout: '0 events redriven.\n' })
})

test('with a rate events are spread, and a stop comes between two of them: the rest stays dead', async () => {
  await given(
    Array.from({ length: 40 }, (_, n) => `key-${n}`),
    Array.from({ length: 40 }, (_, n) => n + 1),
  )
  const stop = new AbortController()
  const running = outbox('redrive --all --rate 100 --json', { signal: stop.signal })
  await expect.poll(() => statuses(db), { interval: 20 }).toHaveProperty('pending')
  stop.abort()
  const { code, stdout } = await running
  const { redriven, interrupted } = JSON.parse(stdout) as { redriven: number; interrupted: boolean }
  expect({ code, interrupted }).toEqual({ code: 130, interrupted: true })
  expect(redriven % 10).toBe(0)
  expect(redriven).toBeLessThan(40)
  expect(await statuses(db)).toEqual({ pending: redriven, dead: 40 - redriven })

  const start = performance.now()
  expect(await outbox('redrive --all --rate 100')).toMatchObject({ code: 0 })
  expect(performance.now() - start).toBeGreaterThan(((40 - redriven - 10) / 100) * 1_000 - 5)
  expect(await statuses(db)).toEqual({ pending: 40 })
})

test('prune deletes processed events past the hours it was given, 72 unless told', async () => {
  await given(['a', 'b', 'c'], [3])
  await db.query(`UPDATE events SET created_at = created_at - interval '60 hours'`)
  await db.query(
    `UPDATE events SET status = 'processed', processed_at = clock_timestamp() - interval '50 hours' WHERE id = 1`,
  )
  expect((await outbox('prune')).stdout).toBe('0 processed events older than 72 h deleted.\n')
  expect(await json('prune --older-than 51')).toEqual({ pruned: 0 })
  expect((await outbox('prune --older-than 49')).stdout).toBe('1 processed event older than 49 h deleted.\n')
  expect(await statuses(db)).toEqual({ pending: 1, dead: 1 })
})
