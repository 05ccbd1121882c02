import { randomUUIDv7 } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { append } from '@product-events/outbox'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { startCommand, variablesFor } from '../testing/commands.ts'
import { freshSources } from '../testing/databases.ts'

let sources: Awaited<ReturnType<typeof freshSources>>
let env: Record<string, string>
beforeAll(async () => {
  sources = await freshSources(inject('postgresUrl'), inject('sqsEndpoint'))
  env = variablesFor(sources, inject('sqsEndpoint'))
})
afterAll(() => sources.close())

const HOSTILE = '\u001b]52;c;aGk=\u0007\u202E'

async function written(lastError: string) {
  const event = {
    id: randomUUIDv7(),
    key: randomUUIDv7(),
    type: `product.created${HOSTILE}`,
    payload: { sequence: '1' },
  }
  await append(sources.products, [event])
  await sources.products.query(`UPDATE events SET status = 'dead', last_error = $2 WHERE event_id = $1`, [
    event.id,
    lastError,
  ])
  return event
}

test('0 and the answer when it is found, harmless on a terminal, and whole for a machine', async () => {
  const event = await written(`refused ${HOSTILE}`)
  const [screen, json] = await Promise.all([
    startCommand('find', [event.id], env).ended,
    startCommand('find', [event.key, '--json'], env).ended,
  ])
  expect(screen).toMatchObject({ code: 0, stderr: '' })
  expect(screen.stdout).toMatch(
    /^In the outbox, dead\.\nWhy: {2}0 refusals: refused \\u\{1b\}\]52[^]*\nDo: .*redrive \d+\n/,
  )
  expect(screen.stdout).toMatch(/Looked [\d.]+ ms, \d+ probes?, \d+ rows\.\n$/)
  for (const control of ['\u001b', '\u0007', '\u202E']) expect(screen.stdout + json.stdout).not.toContain(control)
  expect(JSON.parse(json.stdout)).toMatchObject({
    kind: 'events',
    ways: [{ event_id: event.id, type: event.type, place: { at: 'outbox', state: 'dead' } }],
  })
})

test('3 when it is not found, 2 when it is no id, 1 when nothing says where to look', async () => {
  const [missing, noId, nowhere] = await Promise.all([
    startCommand('find', [randomUUIDv7()], env).ended,
    startCommand('find', ['tea'], env).ended,
    startCommand('find', [randomUUIDv7()], { DATA_DIR: '/nowhere' }).ended,
  ])
  expect(missing).toMatchObject({ code: 3, stdout: expect.stringMatching(/^Not found\.[^]*Looked /) })
  expect(noId).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^find: "tea" is no id: [^\n]*\n$/) })
  expect(nowhere).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^find: configuration: DATABASE_URL is not set/),
  })
})

test('1 and "unknown" when a source that might know it does not answer', async () => {
  const NOTIFICATIONS_DATABASE_URL = 'postgres://postgres@127.0.0.1:1/notifications'
  const { code, stdout } = await startCommand('find', [randomUUIDv7()], { ...env, NOTIFICATIONS_DATABASE_URL }).ended
  expect(stdout).toMatch(/^Unknown: not found where it could look\.[^]*No answer from notifications: .*ECONNREFUSED/)
  expect(code).toBe(1)
})

test('--watch says each change until the event has arrived', async () => {
  const event = await written('x')
  const watch = startCommand('find', [event.id, '--watch', '--json'], env)
  let lines = ''
  watch.child.stdout.on('data', (chunk: Buffer) => (lines += chunk.toString()))
  const places = () =>
    lines
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { way: { place: { at: string } } }).way.place.at)
  await expect.poll(places, { timeout: 50_000 }).toEqual(['outbox'])
  await sources.products.query(
    `UPDATE events SET status = 'processed', processed_at = clock_timestamp() WHERE event_id = $1`,
    [event.id],
  )
  await expect.poll(places, { timeout: 50_000 }).toEqual(['outbox', 'queue'])
  await sources.notifications.query(
    `INSERT INTO notifications (id, event_id, event_type, product_id, title, message, sequence, occurred_at)
     VALUES ($1, $2, 'product.created', $3, '', '', 1, clock_timestamp())`,
    [randomUUIDv7(), event.id, event.key],
  )
  expect(await watch.ended).toMatchObject({ code: 0 })
  expect(places()).toEqual(['outbox', 'queue', 'notified'])
})

test('Ctrl-C ends a watch with 130', async () => {
  const event = await written('x')
  const watch = startCommand('find', [event.id, '--watch', '--json'], env)
  watch.child.stdout.once('data', watch.stop)
  expect(await watch.ended).toMatchObject({ code: 130, stderr: '' })
})

test('without any address the commands use what npm start left, and say so', async () => {
  const event = await written('x')
  const folder = await mkdtemp('/tmp/product-events-stack-')
  try {
    const lines = Object.entries(env).map(([name, value]) => `${name}=${value}\n`)
    await writeFile(join(folder, 'stack.env'), lines.join(''))
    const found = await startCommand('find', [event.id], { DATA_DIR: folder }).ended
    expect(found).toMatchObject({ code: 0, stderr: `On the stack of npm start (${folder}/stack.env).\n` })
    const list = await startCommand('outbox', ['list', '--json'], { DATA_DIR: folder }).ended
    expect(list).toMatchObject({ code: 0, stderr: found.stderr, stdout: expect.stringContaining(event.id) })
  } finally {
    await rm(folder, { recursive: true })
  }
})
