import { expect, test } from 'vitest'
import { cutLine, redact } from './redact.ts'

const MEGABYTE = 1_000_000

test.each([
  ['postgres://me:secret@host/db', 'postgres://me:***@host/db'],
  ['a postgres://me:s@h and amqp://you:t@i', 'a postgres://me:***@h and amqp://you:***@i'],
  ['redis://:secret@host', 'redis://:***@host'],
  ['://a:b@c', '://a:***@c'],
  ['x://://me:secret@host', 'x://://me:***@host'],
  ['https://host/a:b@c', 'https://host/a:b@c'],
  ['https://host', 'https://host'],
  ['me:secret@host', 'me:secret@host'],
])('%s is written as %s', (text, redacted) => {
  expect(redact(text)).toBe(redacted)
})

test.each([
  ['letters before a scheme', `${'a'.repeat(MEGABYTE)}://`],
  ['schemes', '://'.repeat(MEGABYTE / 3)],
  ['schemes with users', 'a://b:'.repeat(MEGABYTE / 6)],
  ['a user without an end', `a://${'b'.repeat(MEGABYTE)}`],
  ['a password without an end', `a://b:${'c'.repeat(MEGABYTE)}`],
  ['colons', `a://b${':'.repeat(MEGABYTE)}`],
  ['slashes', `a:${'/'.repeat(MEGABYTE)}`],
])('ten times as many %s take ten times as long, not a hundred times', (_, long) => {
  const milliseconds = (text: string) => {
    const times = Array.from({ length: 3 }, () => {
      const started = performance.now()
      cutLine(`${JSON.stringify({ msg: redact(text) })}\n`)
      return performance.now() - started
    })
    return Math.min(...times)
  }
  // A quadratic pattern takes minutes for the long text; this takes milliseconds.
  expect(milliseconds(long)).toBeLessThan(10_000)
})

test('fields of a long line are cut, at no half of a character, and the line stays JSON', () => {
  const line = JSON.stringify({ level: 'info', url: `${'a'.repeat(999)}🙂${'b'.repeat(9_000)}`, msg: 'request' })
  expect(JSON.parse(cutLine(`${line}\n`))).toEqual({
    level: 'info',
    url: `${'a'.repeat(999)}… (9002 characters left out)`,
    msg: 'request',
  })
})

test('a line with many long fields keeps those that identify it', () => {
  const wide = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`field${n}`, 'x'.repeat(1_000)]))
  const line = { level: 'info', time: 't', service: 's', request_id: 'r', deep: [wide], ...wide, msg: 'm' }
  const cut = cutLine(`${JSON.stringify(line)}\n`)
  expect(cut.length).toBeLessThan(20_000)
  expect(JSON.parse(cut)).toMatchObject({ level: 'info', time: 't', service: 's', request_id: 'r', msg: 'm' })
})
