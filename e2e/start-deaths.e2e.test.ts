import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { alive, freePorts, npmStart, type Process, type Run } from './npm-start.ts'

/** Between a death and the end of the last process all others are stopped. */
const GONE = { timeout: 15_000, interval: 50 }

let dataDir: string
let run: Run
beforeEach(async () => {
  dataDir = await mkdtemp('/tmp/product-events-deaths-')
  await chmod(dataDir, 0o755) // PostgreSQL may run as another user
  run = npmStart(dataDir, await freePorts())
  await run.ready()
})
afterEach(async () => {
  run.child.kill('SIGTERM')
  await run.ended
  await rm(dataDir, { recursive: true, force: true })
})

test.each(['product-service', 'notification-service', 'SQS'])(
  'when %s dies, the rest stops and it is named',
  async (name) => {
    const processes = await run.processes()
    process.kill(processOf(name, processes), 'SIGKILL')
    expect(await run.ended).toBe(1)
    expect(run.output()).toContain(`${name} was ended by SIGKILL; stopping the rest.`)
    await expect.poll(() => alive(processes), GONE).toEqual([])
  },
)

/** The process of that name, by what it runs. */
function processOf(name: string, processes: Process[]): number {
  const program = name === 'SQS' ? 'sqs-main.ts' : `${name}/main.ts`
  const found = processes.find(({ command }) => command.includes(program))
  if (!found) throw new Error(`no process runs ${program}`)
  return found.pid
}
