import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { freePort, isAlive, machineVariables } from '@product-events/local'

export interface Process {
  pid: number
  parent: number
  command: string
}

/** `npm start` on ports and data of its own. */
export interface Run {
  child: ChildProcess
  ports: Record<string, number>
  /** Everything it printed so far, stdout and stderr. */
  output(): string
  /** Resolves with the exit code once it is gone and its output is complete. */
  ended: Promise<number | null>
  /** Resolves once it says it is ready; rejects with its output when it ends before. */
  ready(): Promise<void>
  /** Every process below it, whatever group it is in. */
  processes(): Promise<Process[]>
}

const VARIABLES = [
  'CONSOLE_PORT',
  'PRODUCT_SERVICE_PORT',
  'NOTIFICATION_SERVICE_PORT',
  'PRODUCT_SERVICE_METRICS_PORT',
  'NOTIFICATION_SERVICE_METRICS_PORT',
  'POSTGRES_PORT',
  'SQS_PORT',
]

export async function freePorts(): Promise<Record<string, number>> {
  const ports = await Promise.all(VARIABLES.map(async (name) => [name, await freePort()] as const))
  return Object.fromEntries(ports)
}

export function npmStart(dataDir: string, ports: Record<string, number>): Run {
  const child = spawn(process.execPath, [`${import.meta.dirname}/../local/start.ts`], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...machineVariables(),
      // As if the .env of another program had been exported: it must not reach the services.
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing',
      HTTP_PORT: '1',
      DATA_DIR: dataDir,
      ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
    },
  })
  let output = ''
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const isReady = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        if (output.includes('Ready in')) resolve()
      })
    }
  })
  return {
    child,
    ports,
    output: () => output,
    ended,
    async ready() {
      const code = await Promise.race([isReady, ended])
      if (code !== undefined) throw new Error(`npm start ended with ${code}:\n${output}`)
    },
    processes: () => descendants(child.pid),
  }
}

/** The main process of the PostgreSQL that `npm start` keeps in `dataDir`. */
export async function postmaster(dataDir: string): Promise<number> {
  return Number((await readFile(`${dataDir}/postgres/postmaster.pid`, 'utf8')).split('\n')[0])
}

export function alive(processes: Process[]): number[] {
  return processes.map(({ pid }) => pid).filter(isAlive)
}

/** The processes below `pid`, from the system's own table; without `ps`, which a small Linux may not have. */
async function descendants(pid: number | undefined): Promise<Process[]> {
  const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const rows = await Promise.all(all.map(readProcess))
  const below = (parent: number): Process[] =>
    rows.flatMap((row) => (row?.parent === parent ? [row, ...below(row.pid)] : []))
  return below(pid ?? 0)
}

async function readProcess(pid: number): Promise<Process | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8')
    // "pid (name) state parent …", and the name may hold anything.
    const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { pid, parent: Number(parent), command: command.replaceAll('\0', ' ') }
  } catch {
    return undefined // it has ended meanwhile
  }
}
