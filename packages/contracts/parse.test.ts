import { expect, test } from 'vitest'
import { parseBody } from './parse.ts'

const id = '01a2158e-4d79-79e5-a443-e01d9136f563'
const envelope = {
  specversion: '1.0',
  id,
  source: '/elsewhere',
  type: 'product.polished',
  subject: id,
  time: '2026-01-01T00:00:00Z',
  sequence: '1',
  data: {},
}
const parse = (change: object) => parseBody(JSON.stringify({ ...envelope, ...change }))

test.each([
  ['type', { type: 't'.repeat(255) }, { type: 't'.repeat(256) }],
  ['type, in characters that take two places in JavaScript', { type: '🫖'.repeat(255) }, { type: '🫖'.repeat(256) }],
  ['source', { source: 's'.repeat(1_024) }, { source: 's'.repeat(1_025) }],
  ['time', { time: `2026-01-01T00:00:00.${'1'.repeat(43)}Z` }, { time: `2026-01-01T00:00:00.${'1'.repeat(44)}Z` }],
  ['sequence', { sequence: '9'.repeat(19) }, { sequence: '9'.repeat(20) }],
  ['specversion', { specversion: '1.999' }, { specversion: `1.${'0'.repeat(4)}` }],
])('%s has a bound, and what is longer is no event; the reason names the attribute', (name, longest, longer) => {
  expect(parse(longest)).toMatchObject({ kind: 'unknown' })
  const attribute = name.split(',')[0] ?? ''
  expect(parse(longer)).toMatchObject({ kind: 'invalid', reason: expect.stringContaining(`/${attribute} `) })
})

test.each([`urn:uuid:${id}`, `{${id}}`, id.replaceAll('-', ''), `${id}\n`, ` ${id}`, id.slice(1), ''])(
  'an id is a UUID in its one usual form, not %j',
  (other) => {
    expect(parse({ id: other })).toMatchObject({ kind: 'invalid', reason: expect.stringContaining('/id ') })
    expect(parse({ subject: other })).toMatchObject({ kind: 'invalid', reason: expect.stringContaining('/subject ') })
  },
)

test('a product whose texts are longer than the API allows is of a shape that is not known', () => {
  const time = envelope.time
  const product = {
    id,
    name: 'n'.repeat(200),
    description: '',
    price: 1,
    version: 1,
    created_at: time,
    updated_at: time,
  }
  const change = { type: 'product.created', source: '/product-service', datacontenttype: 'application/json' }
  expect(parse({ ...change, data: product })).toMatchObject({ kind: 'event' })
  expect(parse({ ...change, data: { ...product, name: 'n'.repeat(201) } })).toMatchObject({ kind: 'unknown' })
  expect(parse({ ...change, data: { ...product, description: 'd'.repeat(2_001) } })).toMatchObject({ kind: 'unknown' })
})
