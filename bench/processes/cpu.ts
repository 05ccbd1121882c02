import { readdir, readFile } from 'node:fs/promises'

/** Linux counts processor time in hundredths of a second for programs. */
const TICK_MS = 10

/** Processor time of a process and of all that it started, ended ones included, in milliseconds. */
export async function cpuMs(pid: number): Promise<number> {
  const processes = await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(readStat))
  const children = Map.groupBy(
    processes.filter((process) => process !== undefined),
    ({ parent }) => parent,
  )
  const below = (parent: number): number =>
    (children.get(parent) ?? []).reduce((sum, child) => sum + child.ms + below(child.pid), 0)
  return ((await readStat(String(pid)))?.ms ?? NaN) + below(pid)
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html. Undefined when the process has just ended. */
async function readStat(pid: string): Promise<{ pid: number; parent: number; ms: number } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  // The name of the program, in parentheses, may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [utime, stime, cutime, cstime] = fields.slice(11, 15).map(Number)
  return { pid: Number(pid), parent: Number(fields[1]), ms: (utime! + stime! + cutime! + cstime!) * TICK_MS }
}
