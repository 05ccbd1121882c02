import fc from 'fast-check'
import type { JsonSchema } from '../../../packages/http-api/openapi-document.ts'

/**
 * The longest text that is not asked for on purpose. Long ones are slow to make, and say nothing that a limit does not.
 */
const USUAL_LENGTH = 60

/** Values that `schema` takes. It knows the part of JSON Schema that our documents use. */
export function valid(schema: JsonSchema): fc.Arbitrary<unknown> {
  const types = [schema.type].flat() as string[]
  return fc.oneof(...types.map((type) => validOf(type, schema)))
}

function validOf(type: string, schema: JsonSchema): fc.Arbitrary<unknown> {
  switch (type) {
    case 'null':
      return fc.constant(null)
    case 'string':
      return validText(schema)
    case 'integer':
      return fc.integer({ min: Number(schema.minimum), max: Number(schema.maximum) })
    case 'number':
      return validNumber(schema)
    case 'object':
      return validObject(schema)
    default:
      throw new Error(`the fuzzer makes no values of type ${type}`)
  }
}

/** Any characters that text can have, also such as take two code units; and the longest and shortest there may be. */
function validText({ minLength = 0, maxLength = USUAL_LENGTH }: JsonSchema): fc.Arbitrary<string> {
  const [min, max] = [Number(minLength), Number(maxLength)]
  const unit = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter((char) => char !== '\0')
  return fc.oneof(
    { weight: 8, arbitrary: fc.string({ unit, minLength: min, maxLength: Math.min(max, USUAL_LENGTH) }) },
    fc.constantFrom('a'.repeat(max), '🍵'.repeat(max), 'b'.repeat(min)),
  )
}

function validNumber({ minimum, maximum, multipleOf = 1 }: JsonSchema): fc.Arbitrary<number> {
  const step = Number(multipleOf)
  const steps = fc.integer({ min: Math.ceil(Number(minimum) / step), max: Math.round(Number(maximum) / step) })
  return fc.oneof(
    { weight: 8, arbitrary: steps.map((count) => Number((count * step).toFixed(2))) },
    fc.constantFrom(Number(minimum), Number(maximum)),
  )
}

function validObject({ properties, required = [] }: JsonSchema): fc.Arbitrary<object> {
  const fields = Object.entries(properties as Record<string, JsonSchema>)
  return fc.record(Object.fromEntries(fields.map(([name, schema]) => [name, valid(schema)])), {
    requiredKeys: required as string[],
    noNullPrototype: true,
  })
}

/** Values that are wrong almost anywhere. */
export const strangeValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, [], {}, '', ' ', -1, -0, 0.001, 12.345, 1e300, 5e-324, 2 ** 53, 10_000_000_000),
  fc.constantFrom(
    'a\0b',
    '\ud83d',
    '\udc00x',
    'x'.repeat(201),
    'x'.repeat(2_001),
    '🍵'.repeat(201),
    '\u2028',
    '\ufffd',
  ),
  fc.constantFrom("'; DROP TABLE products; --", '${7*7}', '../../etc/passwd', '<script>', '%00', 'NaN', 'Infinity'),
  fc.anything({ maxDepth: 3, withNullPrototype: false }),
)

/** JSON text that no `JSON.stringify` makes. */
export const strangeJson: fc.Arbitrary<string | Buffer> = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '{',
    'null',
    '[]',
    '"text"',
    '{"name":"a","price":1e400}',
    '{"name":"a","price":-1e400}',
    '{"name":"a","price":12.345}',
    '{"name":"a","price":00001}',
    '{"name":"a","price":0x10}',
    '{"name":"a","price":NaN}',
    '{"name":"a","name":"b","price":1}',
    '{"name":"a","price":1,"__proto__":{"admin":true}}',
    '{"name":"a","price":1,"constructor":{"prototype":{"admin":true}}}',
    '{"name":"\\ud83d","price":1}',
    '{"name":"a\\u0000","price":1}',
    "{'name':'a'}",
    '\ufeff{"name":"a","price":1}',
    '{"name":"a","price":1}}',
  ),
  fc.integer({ min: 1, max: 30_000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  fc.integer({ min: 1, max: 5_000 }).map((depth) => '{"name":'.repeat(depth) + '1' + '}'.repeat(depth)),
  fc.integer({ min: 65_000, max: 66_000 }).map((length) => `{"name":"${'a'.repeat(length)}"}`),
  fc
    .integer({ min: 1, max: 3_000 })
    .map((count) => `{${Array.from({ length: count }, (_, n) => `"f${n}":1`).join(',')}}`),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(Buffer.from([0x22, 0xff, 0x22]), Buffer.from('{"name":"\xc3","price":1}', 'latin1')),
  fc.json({ maxDepth: 4 }),
)
