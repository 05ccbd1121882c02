import { setTimeout as sleep } from 'node:timers/promises'
import { createLogger, createRegistry } from '@product-events/telemetry'
import type pg from 'pg'
import { expect, inject, onTestFinished, test } from 'vitest'
import { freshSources } from '../../testing/databases.ts'
import { createRunner } from '../actions/run.ts'
import { buildApp } from '../app.ts'
import { createNeedsReader } from '../needs/needs.ts'
import { readPage } from '../page-files.ts'
import { watchPlaces } from './watch-places.ts'

/** The console looks once a second: in this time a poller that goes on makes 22 statements or more. */
const TWO_LOOKS_MS = 2_500

/** Counts the statements of a pool, whoever makes them. */
function counted(pool: pg.Pool, onStatement: () => void): pg.Pool {
  return new Proxy(pool, {
    get(target, name) {
      if (name === 'query' || name === 'connect') onStatement()
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value
    },
  })
}

/** The server of the console on real databases and a real queue, with the number of its questions to them so far. */
async function startServer() {
  const sources = await freshSources(inject('postgresUrl'), inject('sqsEndpoint'))
  onTestFinished(sources.close)
  let questions = 0
  const count = () => void questions++
  const places = {
    products: counted(sources.products, count),
    notifications: counted(sources.notifications, count),
    queues() {
      count()
      return sources.queues()
    },
  }
  const logger = createLogger('console', 'silent')
  const needs = createNeedsReader(places)
  const watch = watchPlaces(places, [])
  const app = buildApp({
    logger,
    registry: createRegistry(),
    page: await readPage(),
    watch,
    access: undefined,
    controlUrl: undefined,
    places,
    needs,
    runner: createRunner(places, needs, logger),
    finding: { ...places, links: () => [] },
  })
  onTestFinished(() => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const pools = [sources.products, sources.notifications]
  const isIdle = () => pools.every(({ totalCount, idleCount }) => totalCount === idleCount)
  return { url, watch, isIdle, questions: () => questions }
}

/** Reads `count` snapshots of the stream and leaves. */
async function view(url: string, count: number): Promise<void> {
  const leaving = new AbortController()
  const { body } = await fetch(`${url}/api/stream`, { signal: leaving.signal })
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader()
  for (let seen = 0; seen < count;) seen += (await reader.read()).value?.match(/^data: /gm)?.length ?? 0
  leaving.abort()
}

test('the console asks PostgreSQL and SQS while somebody looks, and nothing before and afterwards', async () => {
  const { url, watch, isIdle, questions } = await startServer()
  const openToAll = () => Promise.all(['/', '/health/ready', '/metrics'].map((path) => fetch(url + path)))
  await openToAll()
  expect(questions()).toBe(0)
  await view(url, 2)
  await expect.poll(() => watch.viewers()).toBe(0)
  // The look under way ends.
  await expect.poll(isIdle).toBe(true)
  const asked = questions()
  expect(asked).toBeGreaterThan(0)
  await Promise.all([openToAll(), sleep(TWO_LOOKS_MS)])
  expect(questions()).toBe(asked)
})
