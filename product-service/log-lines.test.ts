import { pino } from 'pino'
import type { OutboxEvent } from 'outbox'
import { expect, test } from 'vitest'
import { logRelayReport } from './log-lines.ts'

const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
const event: OutboxEvent = {
  id: '1',
  eventId: 'event-1',
  key: 'product-1',
  lane: 0,
  type: 'product.created',
  payload: '{}',
  headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
  attempts: 0,
  redriven: 0,
  createdAt: new Date(),
}

function linesOf(...reports: Parameters<typeof logRelayReport>[1][]): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = []
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>)
  const log = pino({ level: 'debug' }, { write })
  for (const report of reports) logRelayReport(log, report)
  return lines
}

test('every line about an event names the trace of the request that wrote it', () => {
  const lines = linesOf(
    { kind: 'published', events: [event], at: 0 },
    { kind: 'failed', event, reason: 'no', delayMs: 1 },
    { kind: 'dead', event, reason: 'no' },
  )
  expect(lines).toHaveLength(3)
  for (const line of lines)
    expect(line).toMatchObject({ trace_id: trace, event_id: 'event-1', product_id: 'product-1' })
})

test('an event of no trace is logged without one', () => {
  const [line] = linesOf({ kind: 'dead', event: { ...event, headers: {} }, reason: 'no' })
  expect(line).toMatchObject({ event_id: 'event-1' })
  expect(line).not.toHaveProperty('trace_id')
})
