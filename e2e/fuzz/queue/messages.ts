import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { hostileText, hostileTime, hostileValue } from '../hostile.ts'

export interface HostileMessage {
  body: string
  attributes: Record<string, string>
}

const hostileIds = fc.oneof(
  hostileText,
  fc.uuid().map((id) => id.toUpperCase()),
  fc.uuid().map((id) => `{${id}}`),
  fc.uuid().map((id) => `urn:uuid:${id}`),
  fc.uuid().map((id) => id.replaceAll('-', '')),
  fc.constantFrom('00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
)
const hostileSequences = fc.oneof(
  hostileValue,
  fc.constantFrom(
    '0',
    '-1',
    '01',
    '9223372036854775807',
    '9223372036854775808',
    '9'.repeat(19),
    '9'.repeat(400),
    '1e5',
    ' 1',
    '１',
  ),
)

/** An event as product-service sends it. */
export function goodEvent(id: string = randomUUID(), subject: string = randomUUID(), name = 'Sentinel tea') {
  const at = new Date().toISOString()
  return {
    specversion: '1.0',
    id,
    source: '/product-service',
    type: 'product.created',
    subject,
    time: at,
    datacontenttype: 'application/json',
    sequence: '1',
    data: { id: subject, name, description: '', price: 4.5, version: 1, created_at: at, updated_at: at },
  }
}

type Change = (event: Record<string, unknown>) => Record<string, unknown>

const replaced = (name: string, value: fc.Arbitrary<unknown>): fc.Arbitrary<Change> =>
  value.map((to) => (event) => ({ ...event, [name]: to }))

/** One thing about an event that its sender should not have done. */
const changes: fc.Arbitrary<Change>[] = [
  replaced('type', hostileText),
  replaced(
    'type',
    hostileText.map((text) => `product.${text}`),
  ),
  replaced('subject', hostileIds),
  replaced('id', hostileIds),
  replaced('source', hostileText),
  replaced('sequence', hostileSequences),
  replaced('time', hostileTime),
  replaced('specversion', fc.oneof(hostileText, fc.constantFrom('1.1', `1.${'0'.repeat(5_000)}`))),
  replaced('datacontenttype', hostileValue),
  replaced('data', hostileValue),
  replaced('traceparent', hostileValue),
  hostileText.chain((name) => replaced(name === '' ? 'x' : name, hostileValue)),
  fc
    .tuple(fc.constantFrom('id', 'name', 'description', 'price', 'version', 'created_at', 'updated_at'), hostileValue)
    .map(([name, to]) => (event) => ({ ...event, data: { ...(event.data as object), [name]: to } })),
  fc
    .constantFrom('id', 'source', 'type', 'subject', 'time', 'sequence', 'data', 'specversion')
    .map((name) => (event) => Object.fromEntries(Object.entries(event).filter(([field]) => field !== name))),
]

/** An id that comes again, with other content each time. */
const FEW_IDS = Array.from({ length: 5 }, () => randomUUID())

const changedEvents = fc
  .tuple(
    fc.uuid({ version: 7 }),
    fc.uuid({ version: 7 }),
    fc.array(fc.oneof(...changes), { minLength: 1, maxLength: 3 }),
  )
  .map(([id, subject, all]) =>
    JSON.stringify(all.reduce<Record<string, unknown>>((event, change) => change(event), goodEvent(id, subject))),
  )

const bodies: fc.Arbitrary<string> = fc.oneof(
  { weight: 12, arbitrary: changedEvents },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...FEW_IDS), hostileText)
      .map(([id, name]) => JSON.stringify(goodEvent(id, randomUUID(), name))),
  },
  { weight: 1, arbitrary: hostileText },
  { weight: 1, arbitrary: fc.json({ maxDepth: 4 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'null',
      '[]',
      '{}',
      '"text"',
      '{"id":1}',
      '\ufeff{}',
      '['.repeat(5_000),
      `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
      `{${'"id":"x",'.repeat(2_000)}"id":"y"}`,
    ),
  },
)

export const hostileMessages: fc.Arbitrary<HostileMessage> = fc.record({
  body: bodies,
  attributes: fc.dictionary(
    fc.constantFrom('type', 'traceparent', 'tracestate', 'baggage', 'x'),
    fc.oneof(hostileText, fc.constantFrom('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', '00-0-0-00')),
    { maxKeys: 3, noNullPrototype: true },
  ),
})
