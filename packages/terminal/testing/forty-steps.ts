/** A command that must not end in the middle of a step: forty steps, and on Ctrl-C the one under way to its end. */
import { setTimeout as sleep } from 'node:timers/promises'
import { runProcess } from '../index.ts'

/** Longer than SIGINT from the terminal and its copy from npm are apart. */
const STEP_MS = 400

await runProcess('forty-steps', async ({ signal, stdout, progress }) => {
  for (let step = 1; step <= 40 && !signal.aborted; step++) {
    progress.now(`step ${step} of 40`)
    stdout(`begin ${step}\n`)
    await sleep(STEP_MS)
    stdout(`end ${step}\n`)
  }
  return signal.aborted ? 130 : 0
})
