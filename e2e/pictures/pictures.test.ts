import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { excerpt } from './excerpt.ts'
import { COLUMNS, terminalPage, wrap } from './frame.ts'
import { films, FOLDER, MAX_BYTES, MAX_FILM_BYTES, pictures } from './pictures.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = join(root, 'docs')
const documents = [
  readFileSync(join(root, 'README.md'), 'utf8'),
  ...readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => readFileSync(join(folder, name), 'utf8').replaceAll('](pictures/', `](${FOLDER}/`)),
]
const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')

test.each(Object.entries(pictures))('a document shows %s, which is a small PNG', (name, alternative) => {
  expect(documents.some((text) => text.includes(`![${alternative}](${FOLDER}/${name})`))).toBe(true)
  const picture = readFileSync(join(root, FOLDER, name))
  expect(picture.subarray(0, SIGNATURE.length).equals(SIGNATURE)).toBe(true)
  expect(picture.length).toBeLessThanOrEqual(MAX_BYTES)
})

test.each(films)('the README shows %s, which moves and is small', (name) => {
  expect(documents[0]).toContain(`${FOLDER}/${name}`)
  const film = readFileSync(join(root, FOLDER, name))
  expect([film.toString('latin1', 0, 4), film.toString('latin1', 8, 16)]).toEqual(['RIFF', 'WEBPVP8X'])
  expect(film.readUInt32LE(4)).toBe(film.length - 8)
  const frames = film
    .toString('latin1')
    .split(/ANMF[^]{20}(?=[^]{4})/)
    .slice(1)
  expect(frames.length).toBeGreaterThan(20)
  // A browser shows no film whose parts have headers of their own.
  for (const frame of frames) expect(frame.slice(0, 4)).toBe('VP8 ')
  expect(film.length).toBeLessThanOrEqual(MAX_FILM_BYTES)
})

test('there is no picture that nobody makes', () => {
  expect(readdirSync(join(root, FOLDER)).toSorted()).toEqual([...Object.keys(pictures), ...films].toSorted())
})

test('what a service says is text on the page, wherever it stands', () => {
  const evil = `<script>alert("x")</script> {"name":"<b>&'"} "`
  const page = terminalPage({ title: evil, command: evil, output: `${evil}\n    ok: ${evil}\n--- ${evil}` })
  const tags = new Set([...page.matchAll(/<\/?(\w+)/g)].map(([, tag = '']) => tag))
  expect([...tags].toSorted()).toEqual(['header', 'html', 'main', 'meta', 'pre', 'span', 'style', 'title'])
  expect(page.replaceAll(/<style>[^]*<\/style>|<[^>]*>/g, '')).toContain('&lt;script&gt;alert(&quot;x&quot;)')
})

test('a long line is broken before a name of JSON, between words, or at the last column, and loses nothing', () => {
  const texts = (line: string) => wrap([[line]], COLUMNS).map((pieces) => pieces.map(([text]) => text).join(''))
  expect(texts('x'.repeat(COLUMNS))).toHaveLength(1)
  expect(texts('x'.repeat(COLUMNS + 1))).toEqual(['x'.repeat(COLUMNS), '  x'])
  const json = `{"a":"${'x'.repeat(80)}","b c":"${'y'.repeat(60)}"}`
  expect(texts(json)).toEqual([json.slice(0, 88), `  ${json.slice(88)}`])
  const words = `  404  ${'tea '.repeat(40)}`
  expect(
    texts(words)
      .map((line) => line.trim())
      .join(' '),
  ).toBe(words.trim())
  expect(texts(words)[1]).toMatch(/^ {7}tea/)
})

test('an excerpt of test_api.sh says where something is left out, and how it ended', () => {
  const call = (path: string) => `\n\n${path}\n  200  \n    ok: the status is 200`
  const output = `Testing x\n\n--- create${call('/a')}${call('/b')}\n\n--- list${call('/c')}\n\n4 checks, 0 failed\n`
  expect(excerpt(output)).toBe(
    'Testing x\n\n--- create\n/a\n  200  \n    ok: the status is 200\n…\n\n4 checks, 0 failed',
  )
})
