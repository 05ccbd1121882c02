import { expect, test } from 'vitest'
import { cutAtPlaceholders, tagged, withQuestionMarks } from './placeholders.ts'

test('values come in the order of their placeholders, as often as these occur; a quoted name holds none', () => {
  const text = 'SELECT $2, $10 FROM "a$1""$2".events WHERE $1 = $2'
  const values = ['one', 'two', 3, 4, 5, 6, 7, 8, 9, 'ten']
  expect(cutAtPlaceholders(text, values)).toEqual({
    fragments: ['SELECT ', ', ', ' FROM "a$1""$2".events WHERE ', ' = ', ''],
    values: ['two', 'ten', 'one', 'two'],
  })
  expect(withQuestionMarks(text, values).text).toBe('SELECT ?, ? FROM "a$1""$2".events WHERE ? = ?')
})

test('a plain question mark is escaped where placeholders are question marks, and only there', () => {
  expect(withQuestionMarks('"a?" = $1', [1])).toEqual({ text: String.raw`"a\?" = ?`, values: [1] })
  expect(withQuestionMarks('"a?"', [])).toEqual({ text: '"a?"', values: [] })
})

test('a tag is called as with a template', () => {
  const tag = (fragments: TemplateStringsArray, ...values: unknown[]) => ({ fragments, values })
  const [called, written] = [tagged(tag, 'a $1 b', [7]), tag`a ${7} b`]
  expect(called.values).toEqual(written.values)
  for (const part of ['fragments', 'raw'] as const) {
    const of = ({ fragments }: typeof called) => (part === 'raw' ? fragments.raw : fragments)
    expect([...of(called)]).toEqual([...of(written)])
    expect(Object.isFrozen(of(called))).toBe(true)
  }
})
