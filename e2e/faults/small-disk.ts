import { execFileSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'

/** Whether this process may mount a disk: root, and not everywhere. */
export const canMount = process.platform === 'linux' && process.getuid?.() === 0 && mounts()
/** `nobody`, as whom PostgreSQL runs when this process is root. */
const NOBODY = '65534:65534'

/** A disk in memory that a test can fill. */
export interface SmallDisk {
  /** `size` in `mount`'s notation. Resolves with a folder on it that the server may write to. Only where `canMount`. */
  mount(size: string): Promise<string>
  unmount(): void
}

export function createSmallDisk(point: string): SmallDisk {
  let mounted = false
  return {
    async mount(size) {
      await mkdir(point)
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0777`, 'tmpfs', point])
      mounted = true
      const folder = `${point}/tables`
      await mkdir(folder, { mode: 0o700 })
      execFileSync('chown', [NOBODY, folder])
      return folder
    },
    unmount() {
      if (mounted) execFileSync('umount', ['--lazy', point])
    },
  }
}

/** Tried in a namespace of its own, which takes the mount away with it. */
function mounts(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
