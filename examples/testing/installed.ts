import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const examples = join(import.meta.dirname, '..')
const root = join(examples, '..')
/** Installed by `npm ci --prefix examples`. */
const modules = join(examples, 'node_modules')
const isSource = (path: string) => !['node_modules', 'dist'].includes(basename(path))

/**
 * Copies example programs into an empty folder outside the repository and installs what they need there: outbox and
 * inbox from their tarballs, everything else by links. Returns the folder; nothing in it reaches the packages of the
 * repository.
 */
export async function installExamples(programs: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'examples-'))
  await Promise.all(
    programs.map((name) => cp(join(examples, name), join(folder, name), { recursive: true, filter: isSource })),
  )
  await mkdir(join(folder, 'node_modules/@product-events'), { recursive: true })
  await Promise.all(
    (await readdir(modules)).map((name) => symlink(join(modules, name), join(folder, 'node_modules', name))),
  )
  await Promise.all(['outbox', 'inbox'].map((name) => installPacked(name, folder)))
  return folder
}

async function installPacked(name: string, folder: string): Promise<void> {
  const pack = ['pack', '--silent', '--pack-destination', folder]
  const { stdout } = await run('npm', pack, { cwd: join(root, 'packages', name) })
  const target = join(folder, 'node_modules/@product-events', name)
  await mkdir(target)
  const tarball = join(folder, stdout.trim().split('\n').at(-1) ?? '')
  await run('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'])
}

/** Compiles or checks a program with the TypeScript of the repository, as its own tsconfig.json says. */
export async function compile(folder: string): Promise<void> {
  const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.']
  await run(process.execPath, tsc, { cwd: folder }).catch((error: { stdout: string }) => {
    throw new Error(`tsc in ${basename(folder)}: ${error.stdout}`)
  })
}
