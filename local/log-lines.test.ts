import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { logLine } from './log-lines.ts'

const line =
  '{"level":"info","time":"2026-01-02T03:04:05.678Z","service":"product-service","msg":"listening","port":8080}'

test('piped, a line stays as it is, behind the name of its service', () => {
  expect(logLine('product-service', line, false)).toBe(`product-service      | ${line}\n`)
})

test('in a terminal it is readable, and each of its lines bears the coloured name', () => {
  const shown = logLine('product-service', line, true)
  expect(shown).toContain('\x1b[36mproduct-service     \x1b[0m | ')
  const lines = stripVTControlCharacters(shown).trimEnd().split('\n')
  expect(lines[0]).toMatch(/^product-service {6}\| \[\d\d:\d\d:05\.678\] INFO: listening$/)
  expect(lines[1]).toBe('product-service      |     port: 8080')
})

test('what is no JSON is shown as it is', () => {
  expect(stripVTControlCharacters(logLine('notification-service', 'Error: no', true))).toBe(
    'notification-service | Error: no\n',
  )
})

test('in a terminal what a sender wrote draws nothing, and forges no line', () => {
  const hostile = '\x1b[2J\n[00:00:00.000] INFO: forged\u202E\u009b31m'
  const text = JSON.stringify({ level: 'info', time: '2026-01-02T03:04:05.678Z', msg: hostile, name: hostile })
  for (const line of [text, hostile.replace('\n', '')]) {
    const shown = stripVTControlCharacters(logLine('product-service', line, true))
    for (const control of ['\x1b', '\u202E', '\u009b']) expect(shown).not.toContain(control)
  }
  expect(logLine('product-service', text, true)).not.toMatch(/\n[^|]*\| \[00:00/)
})
