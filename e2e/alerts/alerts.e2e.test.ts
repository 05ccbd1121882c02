import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { rows } from '../../deploy/grafana/dashboards.ts'
import { hasPromtool, promtool } from '../../deploy/testing/promtool.ts'
import { allNotifications, createProduct, deleteProduct } from '../api.ts'
import { hasPrometheus } from './prometheus.ts'
import { startWatchedStack, type WatchedStack } from './watched-stack.ts'

/** Backoffs after an outage, and gauges that are taken every five seconds. */
const PATIENTLY = { timeout: 60_000, interval: 250 }

let stack: WatchedStack
beforeAll(async () => {
  if (hasPrometheus) stack = await startWatchedStack(inject('postgresUrl'), inject('sqsEndpoint'))
})
afterAll(() => stack?.stop())

const call = (path: string, method = 'GET', body?: object) =>
  fetch(`${stack.products.url}${path}`, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })

/** One of everything that callers do, well and badly. */
async function traffic(): Promise<void> {
  const { id } = await createProduct(stack.products.url, 'Tea')
  await fetch(`${stack.products.url}/products/${id}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/merge-patch+json' },
    body: '{"price":2}',
  })
  await deleteProduct(stack.products.url, id)
  await Promise.all([call('/products'), call('/products', 'POST', {}), call('/nowhere')])
  await allNotifications(stack.notifications.url)
}

/** One failure of each sort that the services count. */
async function failures(): Promise<void> {
  stack.postgresNetwork.become({ kind: 'cut' })
  await expect.poll(async () => (await call('/products')).status, PATIENTLY).toBe(503)
  stack.postgresNetwork.become({ kind: 'pass' })
  await expect.poll(async () => (await call('/products')).status, PATIENTLY).toBe(200)
  await stack.send('no event')
  stack.webhookAnswers(500)
  stack.front.become({ refuses: (body) => body.includes('Unwanted'), call: () => 'duplicate' })
  await createProduct(stack.products.url, 'Unwanted')
  const counted = async () => [
    await stack.products.metric('outbox_publish_failures_total'),
    await stack.notifications.metric('notification_failures_total'),
    await stack.notifications.metric('notifications_duplicates_total'),
  ]
  await createProduct(stack.products.url, 'Twice')
  await expect.poll(async () => (await counted()).every(Boolean), PATIENTLY).toBe(true)
  stack.front.become({})
  stack.webhookAnswers(204)
}

test.runIf(hasPrometheus)(
  'every query of the dashboards is answered with data by a Prometheus that watches both services',
  async () => {
    const { prometheus } = stack
    await expect.poll(async () => (await prometheus.query('up == 1')).length, PATIENTLY).toBe(2)
    await traffic()
    await failures()
    const services = ['product-service', 'notification-service']
    let unanswered = rows
      .flatMap(({ panels }) =>
        panels.flatMap(({ title, queries }) => Object.values(queries).map((query) => ({ title, query }))),
      )
      .flatMap(({ title, query }) =>
        query.includes('$service')
          ? services.map((name) => ({ title, query: query.replaceAll('$service', name) }))
          : [{ title, query }],
      )
    expect(unanswered.length).toBeGreaterThan(70)
    const isAnswered = async ({ query }: { query: string }) => {
      const samples = await prometheus.query(query.replaceAll('$__rate_interval', '1m'))
      return samples.some(({ value }) => !Number.isNaN(value))
    }
    await expect
      .poll(
        async () => {
          await traffic()
          const answered = await Promise.all(unanswered.map(isAnswered))
          unanswered = unanswered.filter((_, index) => !answered[index])
          return unanswered
        },
        { ...PATIENTLY, interval: 1_000 },
      )
      .toEqual([])
    expect(await prometheus.brokenRules()).toEqual([])
  },
)

type State = 'inactive' | 'pending' | 'firing'

/** Follows alerts by name and labels: `look` tells their states, `lives` all states that each went through. */
function follow(watched: Record<string, Record<string, string>>) {
  const lives = Object.fromEntries(Object.keys(watched).map((name) => [name, ['inactive'] as State[]]))
  const look = async () => {
    const active = await stack.prometheus.alerts()
    return Object.entries(watched).map(([name, labels]) => {
      const wanted = Object.entries({ ...labels, alertname: name })
      const alert = active.find(({ labels }) => wanted.every(([label, value]) => labels[label] === value))
      const state = alert?.state ?? 'inactive'
      if (lives[name]?.at(-1) !== state) lives[name]?.push(state)
      return state
    })
  }
  return { lives, look }
}

test.runIf(hasPrometheus)('SQS goes away: two alerts are pending, then fire, and end once it is back', async () => {
  const { lives, look } = follow({
    DependencyDown: { service: 'product-service', dependency: 'queue' },
    OldestPendingEventTooOld: { service: 'product-service' },
  })
  stack.sqsNetwork.become({ kind: 'cut' })
  const { id } = await createProduct(stack.products.url, 'Tea')
  await stack.pool.query(`UPDATE events SET created_at = created_at - interval '10 minutes' WHERE key = $1`, [id])
  await expect.poll(look, PATIENTLY).toEqual(['firing', 'firing'])
  stack.sqsNetwork.become({ kind: 'pass' })
  await expect.poll(look, PATIENTLY).toEqual(['inactive', 'inactive'])
  const whole = ['inactive', 'pending', 'firing', 'inactive']
  expect(lives).toEqual({ DependencyDown: whole, OldestPendingEventTooOld: whole })
})

test.runIf(hasPrometheus && hasPromtool)(
  'promtool finds nothing wrong with the names and helps of our own metrics',
  async () => {
    for (const { metricsUrl } of [stack.products, stack.notifications]) {
      const complaints = promtool(['check', 'metrics'], await (await fetch(`${metricsUrl}/metrics`)).text())
      expect(complaints.split('\n').filter((line) => line && !/^(nodejs|process)_/.test(line))).toEqual([])
    }
  },
)
