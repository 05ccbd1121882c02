import { Registry } from '@prometheus-io/client'
import { expect, inject, test, vi } from 'vitest'
import { type RelayReport } from './index.ts'
import { createOutboxMetrics } from './prometheus.ts'
import { type Database, outboxTables } from './database.ts'
import { keepPruning } from './prune.ts'
import { freshOutbox } from './testing/outbox.ts'

test('passes over the retention that fail are reported once, and so is their end; a gauge has the last success', async () => {
  const db = await freshOutbox(inject('postgresUrl'))
  const registry = new Registry()
  const metrics = createOutboxMetrics(registry, db)
  const reports: RelayReport['kind'][] = []
  const stop = new AbortController()
  let passes = 0
  const query: Database['query'] = (text, values) => {
    passes++
    if (passes > 1 && passes < 6) return Promise.reject(new Error('permission denied for table events'))
    return db.query(text, values)
  }
  const started = Math.floor(Date.now() / 1000)
  const running = keepPruning({
    tables: outboxTables({ query }),
    retentionHours: 1,
    report(report) {
      reports.push(report.kind)
      metrics.record(report)
    },
    signal: stop.signal,
    mayPrune: () => true,
    isDatabaseAway: () => false,
    pauseMs: 1,
    retryMs: 1,
  })
  await vi.waitUntil(() => reports.includes('pruning-resumed'), { timeout: 50_000 })
  stop.abort()
  await running
  expect(reports.slice(0, 4)).toEqual(['pruned', 'pruning-failed', 'pruned', 'pruning-resumed'])
  expect(reports.filter((kind) => kind === 'pruning-failed')).toHaveLength(1)
  const gauge = /^outbox_retention_last_success_timestamp_seconds (\S+)/m.exec(await registry.metrics())
  expect(Number(gauge?.[1])).toBeGreaterThanOrEqual(started)
  await db.end()
})
