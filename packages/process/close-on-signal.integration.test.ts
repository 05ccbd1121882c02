import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'

/** A program that is busy when the signal comes, and takes over from the handlers of its first moments right after. */
const program = `
  import { runProgram } from '${import.meta.dirname}/program.ts'
  import { closeOnSignal } from '${import.meta.dirname}/close-on-signal.ts'
  await runProgram({ name: 'busy', version: '1' }, async () => {
    await new Promise((resolve) => setTimeout(resolve, 100))
    process.kill(process.pid, 'SIGTERM')
    for (const until = Date.now() + 200; Date.now() < until;);
    closeOnSignal({ close: async () => {}, onSignal: () => console.log('closing'), onCrash() {}, onClosed() {} })
    setTimeout(() => process.exit(9), 5_000)
  })`

test('a SIGTERM that arrives during synchronous work of the start is not lost', async () => {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], { stdio: 'ignore' })
  const [code] = (await once(child, 'exit')) as [number | null]
  expect(code).toBe(0)
})
