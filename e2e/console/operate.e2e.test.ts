import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createProduct } from '../api.ts'
import { headline, openPage } from './browser.ts'
import { type ProtectedConsole, startProtectedConsole } from './protected-console.ts'

const SOON = { timeout: 30_000, interval: 100 }

let it: ProtectedConsole
beforeAll(async () => {
  it = await startProtectedConsole({ postgresUrl: inject('postgresUrl'), sqsEndpoint: inject('sqsEndpoint') })
})
afterAll(() => it.stop())

/** Events that SQS would never accept died so, with this reason. */
async function die(reason: string, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const { id } = await createProduct(it.stack.products.url, `Dead tea ${index}`)
    await expect
      .poll(
        async () =>
          (await it.products.query(`SELECT FROM events WHERE key = $1 AND status = 'processed'`, [id])).rowCount,
        SOON,
      )
      .toBe(1)
    // As if it had never left: under an id that no consumer knows.
    await it.products.query(
      `UPDATE events
       SET status = 'dead', attempts = 10, last_error = $2, event_id = $3::uuid,
           payload = jsonb_set(payload, '{id}', to_jsonb($3::text))
       WHERE key = $1`,
      [id, reason, randomUUID()],
    )
  }
}

test('without a token the page asks for one and shows nothing; a wrong one is refused in words', async () => {
  await using open = await openPage(it.browser, `${it.address}/`)
  await open.page.getByLabel('Token').fill('nonsense')
  await open.page.getByRole('button', { name: 'Sign in' }).click()
  await open.page.getByRole('alert').waitFor()
  expect(await open.page.getByRole('alert').innerText()).toMatch(/token/i)
  for (const path of ['snapshot', 'stream', 'find?id=1', 'needs?source=events', 'actions', 'me'])
    expect((await fetch(`${it.address}/api/${path}`)).status, path).toBe(401)
})

test('all that match: a dry run, then the redrive at a rate, recorded with the sub, and what became of it', async () => {
  await die('AccessDenied: the key of request 41 may not be used', 3)
  await die('Throttled for good', 1)
  await using open = await it.signedIn('ann@example', 'operations:read operations:write', '#/needs')
  const { page } = open
  await expect.poll(() => headline(page), SOON).toBe('4 things need you.')
  const group = page.locator('.group', { hasText: 'AccessDenied' })
  await group.getByRole('button', { name: 'Redrive 3…' }).click()
  await group.getByText(/in the order of/).waitFor()
  expect((await it.products.query(`SELECT FROM events WHERE status = 'dead'`)).rowCount).toBe(4)
  await group.getByLabel('At most').fill('100')
  await group.getByLabel('Why').fill('INC-2041: the grant is restored')
  await group.getByRole('button', { name: 'Redrive 3', exact: true }).click()
  await expect.poll(() => page.locator('table.done').innerText(), SOON).toMatch(/3 published, 3 notified/)
  expect(await page.locator('table.done').innerText()).toContain('ann@example')
  await expect.poll(() => headline(page), SOON).toBe('1 thing needs you.')
  const { rows } = await it.products.query('SELECT who, why, state, done, rate FROM console.actions')
  expect(rows).toEqual([
    { who: 'ann@example', why: 'INC-2041: the grant is restored', state: 'finished', done: 3, rate: 100 },
  ])
  const { rows: events } = await it.products.query(`SELECT DISTINCT redriven_by FROM events WHERE redriven_count > 0`)
  expect(events).toEqual([{ redriven_by: 'ann@example' }])
})

test('a dry run tells which events leave after younger ones of their product', async () => {
  const { id } = await createProduct(it.stack.products.url, 'Late tea')
  const dead = () =>
    it.products.query(`UPDATE events SET status = 'dead', last_error = 'overtaken' WHERE key = $1`, [id])
  await expect
    .poll(
      async () =>
        (await it.products.query(`SELECT FROM events WHERE key = $1 AND status = 'processed'`, [id])).rowCount,
      SOON,
    )
    .toBe(1)
  await dead()
  await fetch(`${it.stack.products.url}/products/${id}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: '{"price":2}',
  })
  await expect
    .poll(
      async () =>
        (await it.products.query(`SELECT FROM events WHERE key = $1 AND status = 'processed'`, [id])).rowCount,
      SOON,
    )
    .toBe(1)
  await using open = await it.signedIn('ann@example', 'operations:read operations:write', '#/needs')
  await open.page.locator('.group', { hasText: 'overtaken' }).getByRole('button', { name: 'Redrive 1…' }).click()
  await open.page.getByText('leaves after 1 younger event of its key').waitFor()
})

test('a read token sees no button, and the server answers 403', async () => {
  await die('refused for the reader', 1)
  await using open = await it.signedIn('bob@example', 'operations:read', '#/needs')
  await open.page.getByText('refused for the reader').waitFor()
  expect(await open.page.getByRole('button', { name: /Redrive|Delete/ }).count()).toBe(0)
  const before = (await it.products.query('SELECT FROM console.actions')).rowCount
  const response = await fetch(`${it.address}/api/actions`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await it.token('bob@example', 'operations:read')}`,
    },
    body: JSON.stringify({ what: 'redrive', source: 'events', key: 'x', why: 'no right' }),
  })
  expect(response.status).toBe(403)
  expect(response.headers.get('www-authenticate')).toContain('operations:write')
  expect((await it.products.query('SELECT FROM console.actions')).rowCount).toBe(before)
})

test('a page left open through a restart of the console goes on, and asks for no token again', async () => {
  await using open = await it.signedIn('ann@example', 'operations:read operations:write')
  await it.stopConsole()
  await expect.poll(() => open.page.locator('.live').innerText(), SOON).toBe('no answer')
  await it.startConsole()
  await expect.poll(() => open.page.locator('.live').innerText(), SOON).toBe('live')
  await createProduct(it.stack.products.url, 'After the restart')
  await open.page.locator('tr', { hasText: 'After the restart' }).waitFor()
})
