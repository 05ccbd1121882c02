import fc from 'fast-check'
import { hostileText, hostileTime, hostileValue } from '../hostile.ts'

/** A row as a writer in another language may insert it, each column as text that PostgreSQL casts, or refuses. */
export interface HostileRow {
  event_id: string
  key: string
  type: string
  payload: string
  headers: string
  status: string
  attempts: string
  next_attempt_at: string | null
  created_at: string
}

const goodPayload = JSON.stringify({ note: 'written by SQL' })

const good: fc.Arbitrary<HostileRow> = fc.uuid({ version: 7 }).map((id) => ({
  event_id: id,
  key: `writer-${id}`,
  type: 'written',
  payload: goodPayload,
  headers: '{}',
  status: 'pending',
  attempts: '0',
  next_attempt_at: null,
  created_at: new Date().toISOString(),
}))

const json = hostileValue.map((value) => JSON.stringify(value) ?? 'null')
const headerNames = fc.oneof(
  hostileText,
  fc.constantFrom('type', 'traceparent', 'AWS.x', 'Amazon.x', '.a', 'a..b', 'x'),
)

const changes: fc.Arbitrary<Partial<HostileRow>>[] = [
  hostileText.map((key) => ({ key })),
  hostileText.map((type) => ({ type })),
  json.map((payload) => ({ payload })),
  fc.constantFrom(200_000, 1_048_000, 1_048_576, 1_500_000).map((size) => ({ payload: `"${'p'.repeat(size)}"` })),
  json.map((headers) => ({ headers })),
  fc.tuple(headerNames, hostileValue).map(([name, value]) => ({ headers: JSON.stringify({ [name]: value }) })),
  fc.integer({ min: 8, max: 40 }).map((count) => ({
    headers: JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, n) => [`h${n}`, 'x']))),
  })),
  fc.constantFrom('processed', 'failed', 'dead', 'PENDING', '').map((status) => ({ status })),
  fc.constantFrom('-1', '9', '10', '32767').map((attempts) => ({ attempts, status: 'failed', next_attempt_at: 'now' })),
  hostileTime.map((next_attempt_at) => ({ next_attempt_at, status: 'failed' })),
  hostileTime.map((created_at) => ({ created_at })),
]

export const hostileRows: fc.Arbitrary<HostileRow> = fc
  .tuple(good, fc.array(fc.oneof(...changes), { minLength: 1, maxLength: 2 }))
  .map(([row, all]) => Object.assign({}, row, ...all) as HostileRow)
