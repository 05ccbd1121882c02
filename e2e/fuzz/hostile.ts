import fc from 'fast-check'

/** Text that some layer between a sender and a terminal has choked on. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    'a\u0000b',
    '\ud83d',
    '\udc00x',
    '\u001b[31mred\u001b[0m',
    '\u001b]52;c;aGk=\u0007',
    '\u202edesrever',
    '\u2028',
    'line\r\nbreak: x',
    '__proto__',
    'constructor',
    "'; DROP TABLE events; --",
    '\\',
    '"',
    '%s%n',
    '{{7*7}}',
    '\ufffe\uffff',
  ),
  // The lengths around which limits lie: of an index entry, a header, a field of a log line, a message.
  fc
    .tuple(
      fc.constantFrom('a', 'ä', '\u4e00', 'a:/'),
      fc.constantFrom(255, 256, 1_000, 2_700, 3_468, 4_000, 20_000, 100_000),
    )
    .map(([unit, length]) => unit.repeat(Math.ceil(length / unit.length))),
  fc.constantFrom(999, 1_000, 1_001).map((length) => `${'x'.repeat(length)}\u{1f375}\u{1f375}`),
  fc.string({ unit: 'binary', maxLength: 40 }),
)

export const hostileNumber: fc.Arbitrary<unknown> = fc.constantFrom<unknown>(
  0,
  -1,
  1.5,
  1e300,
  -0,
  2 ** 53,
  Number.MAX_SAFE_INTEGER,
  5e-324,
)

export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: hostileText },
  hostileNumber,
  fc.constantFrom<unknown>(null, true, false, [], {}, [[]], { toString: 1 }),
  fc.integer({ min: 1, max: 2_000 }).map(nested),
  fc.anything({ maxDepth: 3, withNullPrototype: false }),
)

function nested(depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = level % 2 ? [value] : { value }
  return value
}

export const hostileTime: fc.Arbitrary<string> = fc.constantFrom(
  'infinity',
  '-infinity',
  'now',
  '0000-01-01T00:00:00Z',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '+275760-09-13T00:00:00.000Z',
  '2026-02-30T00:00:00Z',
  '2026-06-30T23:59:60Z',
  '2026-01-01T00:00:00+23:59',
  '2026-01-01T00:00:00.123456789123456789Z',
  '2026-01-01',
)
