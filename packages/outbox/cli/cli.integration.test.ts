import { freshDatabase } from '@product-events/local'
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { append, createRelay } from '../index.ts'
import { newEvent, statuses } from '../testing/outbox.ts'
import { commandForTest } from './testing/command.ts'

let command: Awaited<ReturnType<typeof commandForTest>>
beforeAll(async () => {
  command = await commandForTest(inject('postgresUrl'))
})
beforeEach(() => command.empty())
afterAll(() => command.db.end())

test('help is there for all and for each command, needs no database, and names every option', async () => {
  const { outbox } = command
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
  const { outbox } = command
  const { code, stdout, stderr } = await outbox(line)
  expect(stderr).toContain(expected)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
})

test('a database that is away, or that has no outbox, is told in one line, and is code 1', async () => {
  const { outbox } = command
  const away = await outbox('status', { url: 'postgres://postgres:secret@127.0.0.1:1/x' })
  expect(away.code).toBe(1)
  expect(away.stderr).toBe(
    'outbox: PostgreSQL at postgres://127.0.0.1:1/x refused the connection (ECONNREFUSED). Is it running?\n',
  )
  const empty = await outbox('list', { url: await freshDatabase(inject('postgresUrl')) })
  expect(empty).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/ has no outbox in the schema public .*Run the migrations/),
  })
})

test('status counts, tells the oldest, and shows which relay holds which lanes for how long', async () => {
  const { db, outbox, json, given } = command
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
  const { outbox, json, given } = command
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
  const { db, outbox, json } = command
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
  const { db, outbox } = command
  await append(db, [newEvent('a', { text: 'x'.repeat(1_000_000) })])
  const { stdout } = await outbox('show 1')
  expect(stdout.length).toBeLessThan(6_000)
  expect(stdout).toMatch(/… 996\d+ more characters: --whole shows them\n$/)
  expect((await outbox('show 1 --whole')).stdout.length).toBeGreaterThan(1_000_000)
})

test('show finds an event by its number and by its UUID, content included', async () => {
  const { outbox, json, given } = command
  const [, second] = await given(['a', 'b'], [2])
  expect(await json('show 2')).toMatchObject({ id: '2', event_id: second!.id, status: 'dead', payload: { n: 1 } })
  expect(await json(`show ${second!.id.toUpperCase()}`)).toMatchObject({ id: '2' })
  expect((await outbox('show 2')).stdout).toMatch(/last_error +InvalidMessageContents[^]*payload\n{\n {2}"n": 1\n}/)
  expect(await outbox('show 99')).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no event 99') })
})

test('prune deletes processed events past the hours it was given, 72 unless told', async () => {
  const { db, outbox, json, given } = command
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
