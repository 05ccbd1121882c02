import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts, npmStart, type Run } from '../npm-start.ts'

/** `npm start` with its console, ready, on ports and data of its own. */
export interface ConsoleRun {
  run: Run
  dataDir: string
  console: string
  products: string
  notifications: string
  postgres: string
  sqs: string
  /** Plays a fault or traffic, as the page does. */
  play(what: object): Promise<void>
  stop(): Promise<void>
}

export async function startWithConsole(): Promise<ConsoleRun> {
  // Not below os.tmpdir(): it may be one that only its owner can enter, and PostgreSQL may run as another user.
  const dataDir = await mkdtemp('/tmp/product-events-console-')
  await chmod(dataDir, 0o755)
  const ports = await freePorts()
  const run = npmStart(dataDir, ports)
  await run.ready()
  const at = (name: string) => `http://127.0.0.1:${ports[name]}`
  const console = at('CONSOLE_PORT')
  const password = (await readFile(join(dataDir, 'postgres-password'), 'utf8')).trim()
  return {
    run,
    dataDir,
    console,
    products: at('PRODUCT_SERVICE_PORT'),
    notifications: at('NOTIFICATION_SERVICE_PORT'),
    postgres: `postgres://postgres:${password}@127.0.0.1:${ports.POSTGRES_PORT}`,
    sqs: at('SQS_PORT'),
    async play(what) {
      const response = await fetch(`${console}/api/trial`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(what),
      })
      if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
    },
    async stop() {
      run.child.kill('SIGTERM')
      await run.ended
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
