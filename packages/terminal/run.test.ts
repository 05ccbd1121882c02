import { expect, test } from 'vitest'
import { runCommand, UsageError } from './index.ts'

async function run(work: () => Promise<number>, signal = new AbortController().signal) {
  let stderr = ''
  const code = await runCommand('shop', { stderr: (text) => (stderr += text), signal }, work)
  return { code, stderr }
}
function failing(error: Error): () => Promise<number> {
  return async () => {
    throw error
  }
}

test('the exit code is that of the command', async () => {
  expect(await run(() => Promise.resolve(3))).toEqual({ code: 3, stderr: '' })
})

test('what was not understood is 2, and says where the help is', async () => {
  expect(await run(failing(new UsageError('there is no option -x')))).toEqual({
    code: 2,
    stderr: 'shop: there is no option -x. Try shop --help.\n',
  })
})

test('what failed is 1, in one line that no sender can break', async () => {
  expect(await run(failing(new Error('no such \x1b[2Jthing')))).toEqual({
    code: 1,
    stderr: 'shop: no such \\u{1b}[2Jthing\n',
  })
  expect(await run(failing(new AggregateError([new Error('refused ::1'), new Error('refused 127.0.0.1')])))).toEqual({
    code: 1,
    stderr: 'shop: refused ::1; refused 127.0.0.1\n',
  })
})

test('a bug of the command shows its stack', async () => {
  const { code, stderr } = await run(failing(new TypeError('x is not a function')))
  expect(code).toBe(1)
  expect(stderr).toMatch(/^shop: TypeError: x is not a function\n +at /)
})

test('what fails because of Ctrl-C is 130 and says nothing more', async () => {
  expect(await run(failing(new Error('aborted')), AbortSignal.abort())).toEqual({ code: 130, stderr: '' })
})
