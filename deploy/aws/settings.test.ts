import { expect, test } from 'vitest'
import { checkSettings } from './settings.ts'
import { example } from './testing/synthesised.ts'

test.each([
  ['domain', 'https://example.com'],
  ['certificateArn', 'arn:aws:iam::1:x'],
  ['imageTag', 'latest'],
  ['queueName', 'a'.repeat(77)],
  ['size', 'big'],
  ['relay', 'maybe'],
  ['callers', []],
  ['callers', ['everybody']],
  ['collectorImage', 'collector'],
])('%s = %j is refused by its name', (name, value) => {
  expect(() => checkSettings({ ...example, [name]: value }, 'settings.json')).toThrow(name)
})

test('a missing setting, an unknown one and a malformed inner one are named together', () => {
  const { alarmEmail: _, ...rest } = example
  const wrong = { ...rest, colour: 'red', tokens: { ...example.tokens, jwksUrl: 'http://plain' } }
  expect(() => checkSettings(wrong, 'settings.json')).toThrow(/tokens\.jwksUrl.*alarmEmail.*colour is unknown/)
})

test('the example is accepted', () => {
  expect(checkSettings(structuredClone(example), 'settings.example.json')).toEqual(example)
})
