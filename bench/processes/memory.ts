import { readFile } from 'node:fs/promises'

/** Where the system tells what a process takes; only Linux has it. */
export const tellsMemory = process.platform === 'linux'

/** Resident memory of a process now, and the most it ever was, in MiB. */
export async function residentMiB(pid: number): Promise<{ now: number; most: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1])
  return { now: kib('VmRSS') / 1024, most: kib('VmHWM') / 1024 }
}

/** What of its JavaScript heap one of our processes uses now, garbage included, in MiB. */
export async function heapMiB(metricsUrl: string): Promise<number> {
  const metrics = await (await fetch(metricsUrl)).text()
  return Number(/^nodejs_heap_size_used_bytes (\S+)/m.exec(metrics)?.[1]) / 2 ** 20
}
