import { chmod, chown, mkdir, readdir, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { NOBODY, runsAsRoot } from './postgres-binaries.ts'

/** PostgreSQL's first files are 40 MB, SQS's and the compiled programs 10; the log of its writes grows beyond that. */
const NEEDED_BYTES = 200 * 1024 * 1024

/**
 * Makes `dataDir`, closed to other users of the machine, or throws what is wrong with it in one line that names the
 * variable. For root PostgreSQL runs as `nobody`, whose group may pass through.
 */
export async function openDataDir(dataDir: string): Promise<void> {
  await explained(dataDir, async () => {
    await makeFolder(dataDir)
    if (!(await stat(dataDir)).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' })
    await closeToOthers(dataDir)
    await mkdir(join(dataDir, 'sqs'), { recursive: true, mode: 0o700 })
    await chmod(join(dataDir, 'sqs'), 0o700)
    // What an earlier version left readable.
    for (const name of await readdir(join(dataDir, 'sqs'))) await chmod(join(dataDir, 'sqs', name), 0o600)
  })
  const { bavail, bsize } = await statfs(dataDir)
  if (bavail * bsize < NEEDED_BYTES)
    throw new Error(
      `DATA_DIR is ${dataDir}, whose disk has ${Math.floor((bavail * bsize) / 1024 / 1024)} MB free: ` +
        `${NEEDED_BYTES / 1024 / 1024} MB are required. Make room, or set DATA_DIR to a folder on another disk`,
    )
}

/** Not by `recursive`, which never ends where the system has no place for a folder: below /proc, say. */
async function makeFolder(path: string): Promise<void> {
  const make = () =>
    mkdir(path, { mode: 0o700 }).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error
    })
  try {
    await make()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error
    await makeFolder(dirname(path))
    await make()
  }
}

async function closeToOthers(dataDir: string): Promise<void> {
  if (process.platform === 'win32') return
  if (runsAsRoot) await chown(dataDir, 0, NOBODY)
  await chmod(dataDir, runsAsRoot ? 0o710 : 0o700)
}

async function explained(dataDir: string, open: () => Promise<void>): Promise<void> {
  try {
    await open()
  } catch (error) {
    const { code = '', path = dataDir } = error as NodeJS.ErrnoException
    const reasons: Record<string, string> = {
      EEXIST: 'which is a file',
      ENOTDIR: 'which is a file, or lies below one',
      ENOENT: `and ${dirname(path)} can have no folder`,
      EACCES: `and this user may not write ${dirname(path)}`,
      EPERM: 'and it belongs to another user',
      EROFS: 'which is on a read-only file system',
      ENOSPC: 'whose disk is full',
      EDQUOT: 'whose disk quota is used up',
    }
    const reason = reasons[code]
    if (reason === undefined) throw error
    throw new Error(`DATA_DIR is ${dataDir}, ${reason} (${code}). Set DATA_DIR to a folder that can be written`, {
      cause: error,
    })
  }
}
