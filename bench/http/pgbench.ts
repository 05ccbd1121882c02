import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Figures } from '../scenario.ts'

const run = promisify(execFile)

/** How many plain two-insert transactions a second `clients` get through, and their average latency. */
export async function pgbench(
  program: string,
  options: { databaseUrl: string; clients: number; seconds: number },
): Promise<Figures> {
  const { databaseUrl, clients, seconds } = options
  const script = `${import.meta.dirname}/two-inserts.sql`
  const { stdout } = await run(program, ['-n', '-c', `${clients}`, '-T', `${seconds}`, '-f', script, databaseUrl])
  const number = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1])
  return { 'requests/s': number(/^tps = ([\d.]+)/m), 'mean ms': number(/^latency average = ([\d.]+) ms/m) }
}
