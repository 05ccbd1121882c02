import { expect, test } from 'vitest'
import { harmless, harmlessJson, harmlessLines, harmlessLogLine } from './index.ts'

const hostile = {
  'CSI, C0': ['\x1b[2J', '\\u{1b}[2J'],
  'OSC 52, ended by BEL': ['\x1b]52;c;aGk=\x07', '\\u{1b}]52;c;aGk=\\u{7}'],
  'CSI, C1': ['\x9b31m', '\\u{9b}31m'],
  NUL: ['\0', '\\u{0}'],
  DEL: ['\x7f', '\\u{7f}'],
  'line breaks': ['a\r\nb\tc\vd\f', 'a\\r\\nb\\tc\\u{b}d\\u{c}'],
  'next line': ['\u0085', '\\u{85}'],
  'bidi override': ['\u202Egpj.exe', '\\u{202e}gpj.exe'],
  'bidi isolates and marks': ['\u2066\u2069\u200F\u061C', '\\u{2066}\\u{2069}\\u{200f}\\u{61c}'],
  'zero width': ['a\u200Bb\u2060c\uFEFF', 'a\\u{200b}b\\u{2060}c\\u{feff}'],
  'line and paragraph separator': ['\u2028\u2029', '\\u{2028}\\u{2029}'],
  'lone surrogates': ['\uD83D \uDE00', '\\u{d83d} \\u{de00}'],
  tags: ['\u{E0041}', '\\u{e0041}'],
  'invisible letters': ['\u115F\u3164\uFFA0', '\\u{115f}\\u{3164}\\u{ffa0}'],
} as const

test.each(Object.entries(hostile))('%s is shown as an escape', (_, [text, shown]) => {
  expect(harmless(text)).toBe(shown)
})

test.each(['Grüner Tee', '緑茶', '😀 ❤️', 'C:\\tea', 'e\u0301'])('%s stays as it is', (text) => {
  expect(harmless(text)).toBe(text)
})

test('every code point but the harmful ones passes, and no harmful one does', () => {
  const passed = Array.from({ length: 0x3000 }, (_, code) => String.fromCodePoint(code)).filter(
    (character) => harmless(character) === character,
  )
  for (const [from, to] of [
    [0, 0x1f],
    [0x7f, 0x9f],
    [0x200b, 0x200f],
    [0x2028, 0x202e],
    [0x2060, 0x206f],
  ] as const)
    expect(
      passed.filter((character) => character >= String.fromCharCode(from) && character <= String.fromCharCode(to)),
    ).toEqual([])
  expect(passed.join('')).toContain(' !"#$%&')
})

test('lines keep their breaks and nothing else', () => {
  expect(harmlessLines('one\r\ntwo\n\x1b[1mthree\rfour')).toBe('one\ntwo\n\\u{1b}[1mthree\\rfour')
})

test('JSON is harmless on a terminal and says the same to a machine', () => {
  const value = Object.fromEntries(Object.values(hostile).map(([text], index) => [`${index}${text}`, [text]]))
  for (const indent of [undefined, 2]) {
    const json = harmlessJson(value, indent)
    expect(harmlessLines(json)).toBe(json)
    expect(JSON.parse(json)).toEqual(value)
  }
})

test('a log line draws nothing but its own line; a stack keeps its breaks', () => {
  const line = JSON.stringify({
    msg: 'x\n[12:00:00] INFO: forged\x1b[2J',
    'k\x07': 1,
    err: { stack: 'Error: a\x9b\n    at b' },
  })
  expect(JSON.parse(harmlessLogLine(`${line}\n`))).toEqual({
    msg: 'x\\n[12:00:00] INFO: forged\\u{1b}[2J',
    'k\\u{7}': 1,
    err: { stack: 'Error: a\\u{9b}\n    at b' },
  })
  expect(harmlessLogLine('no JSON \x1b[2J\n')).toBe('no JSON \\u{1b}[2J\n')
})
