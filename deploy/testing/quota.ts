import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A part of one processor for the processes that join it, as ECS gives it to a task. */
export interface Quota {
  /** A command before the program's own, by which the process joins. */
  wrapper: string[]
  /** Processor time that its processes have used. */
  usedSeconds(): number
  /** To be called when its processes have ended. */
  remove(): void
}

/** Microseconds: the kernel's default, and that of container runtimes. */
const PERIOD = 100_000

/** Undefined where this user may not make a control group (versions 1 and 2 are understood). */
export function createQuota(processors: number): Quota | undefined {
  const name = `product-events-${process.pid}-${Date.now()}`
  const second = existsSync('/sys/fs/cgroup/cgroup.controllers')
  const folder = join('/sys/fs/cgroup', second ? '' : 'cpu', name)
  const accounting = second ? folder : join('/sys/fs/cgroup/cpuacct', name)
  try {
    return second ? version2(folder, processors) : version1(folder, accounting, processors)
  } catch {
    return undefined
  }
}

function version2(folder: string, processors: number): Quota {
  mkdirSync(folder)
  writeFileSync(join(folder, 'cpu.max'), `${processors * PERIOD} ${PERIOD}`)
  return {
    wrapper: joinFirst([folder]),
    usedSeconds: () => Number(/usage_usec (\d+)/.exec(readFileSync(join(folder, 'cpu.stat'), 'utf8'))?.[1]) / 1e6,
    remove: () => rmdirSync(folder),
  }
}

function version1(folder: string, accounting: string, processors: number): Quota {
  for (const one of [folder, accounting]) if (!existsSync(one)) mkdirSync(one)
  writeFileSync(join(folder, 'cpu.cfs_period_us'), String(PERIOD))
  writeFileSync(join(folder, 'cpu.cfs_quota_us'), String(processors * PERIOD))
  return {
    wrapper: joinFirst([folder, accounting]),
    usedSeconds: () => Number(readFileSync(join(accounting, 'cpuacct.usage'), 'utf8')) / 1e9,
    remove() {
      for (const one of [folder, accounting]) if (existsSync(one)) rmdirSync(one)
    },
  }
}

/** The shell joins, and then becomes the program. */
function joinFirst(folders: string[]): string[] {
  const joins = folders.map((folder) => `echo $$ > ${folder}/cgroup.procs`).join(' && ')
  return ['sh', '-c', `${joins} && exec "$@"`, 'sh']
}
