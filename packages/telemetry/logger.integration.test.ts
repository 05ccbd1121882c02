import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { inPseudoTerminal } from '../terminal/testing/pseudo-terminal.ts'

const run = promisify(execFile)

/** What a process writes that logs so. */
async function written(program: string): Promise<string[]> {
  const script = `import { createLogger } from '@product-events/telemetry'; const log = createLogger('test', 'info'); ${program}`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script]).catch(
    (error: Error & { stdout: string }) => error,
  )
  const lines = stdout.split('\n')
  expect(lines.pop()).toBe('')
  return lines.map((line) => (JSON.parse(line) as { msg: string }).msg)
}

test.each([
  ['that exits at once', `log.info('one'); log.info('two'); process.exit(0)`],
  ['that comes to its end', `log.info('one'); log.info('two')`],
  [
    'that is killed in a later turn',
    `log.info('one'); log.info('two'); setImmediate(() => setImmediate(() => process.kill(process.pid, 'SIGKILL')))`,
  ],
  [
    'that is killed right after a fatal line',
    `log.info('one'); log.fatal('two'); process.kill(process.pid, 'SIGKILL')`,
  ],
])('every line is written of a process %s', async (_, program) => {
  expect(await written(program)).toEqual(['one', 'two'])
})

test('no password of a connection string is written, wherever it stands', async () => {
  expect(await written(`log.info('to postgres://me:secret@host/db, then amqp://you:hidden@host')`)).toEqual([
    'to postgres://me:***@host/db, then amqp://you:***@host',
  ])
})

test('on a terminal what a sender wrote draws nothing, and forges no line', async () => {
  const hostile = '\\x1b]52;c;aGk=\\x07\\n[00:00:00.000] INFO (forged): x\\u202E\\u009b2J'
  const script = `import { createLogger } from "@product-events/telemetry"; createLogger("test", "info").info({ name: "${hostile}" }, "${hostile}")`
  const terminal = inPseudoTerminal(`${process.execPath} --input-type=module -e '${script}'`)
  expect(await terminal.ended).toBe(0)
  expect(terminal.shown()).toContain('forged')
  for (const harm of ['\x1b]', '\x07', '\u202E', '\u009b', '\n[00:00']) expect(terminal.shown()).not.toContain(harm)
})
