import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inPseudoTerminal } from './testing/pseudo-terminal.ts'

const CLEAR_LINE = '\r\x1b[K'
let folder: string
beforeAll(async () => {
  folder = await mkdtemp('/tmp/product-events-terminal-')
  const script = `exec node ${join(import.meta.dirname, 'testing/forty-steps.ts')}`
  await writeFile(join(folder, 'package.json'), JSON.stringify({ scripts: { steps: script } }))
})
afterAll(() => rm(folder, { recursive: true }))

const steps = (shown: string, word: string) => shown.match(new RegExp(`${word} \\d+`, 'g'))?.length

test('one Ctrl-C through npm, which arrives twice, ends the command after the step under way, with 130', async () => {
  const terminal = inPseudoTerminal('npm run --silent steps', { cwd: folder })
  await terminal.until(/begin 2/)
  terminal.type('\x03')
  expect(await terminal.ended).toBe(130)
  expect(steps(terminal.shown(), 'end')).toBe(steps(terminal.shown(), 'begin'))
  expect(terminal.shown()).not.toContain('begin 5')
})

test('on a terminal what takes longer than two seconds shows one line that is drawn over, and then goes', async () => {
  const terminal = inPseudoTerminal('npm run --silent steps', { cwd: folder })
  await terminal.until(`${CLEAR_LINE}step `)
  expect(terminal.shown().split(`${CLEAR_LINE}step`)[0]).toContain('end 3')
  terminal.type('\x03')
  await terminal.ended
  expect(terminal.shown().split(CLEAR_LINE).at(-1)).not.toContain('step')
})
