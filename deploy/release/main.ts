/**
 * `npm run release`: checks a checkout, builds it, packs the libraries, and tags it. It publishes and pushes nothing.
 */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { EXIT, readProgram, runProcess, type Terminal } from '@product-events/terminal'
import { type Checkout, faultsOf, planOf } from './plan.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')
/** The packages that other projects install. */
const published = ['packages/outbox', 'packages/inbox']

const program = {
  name: 'npm run release --',
  version: '1.0.0',
  summary: 'check that this checkout can be released, build it, pack the libraries, and tag it',
  more: 'The version is that of package.json, the notes are its section of CHANGELOG.md. Nothing is published or pushed: the last lines say how.',
  options: { 'dry-run': { help: 'everything but the tag' } },
} as const

await runProcess(program.name, release)

async function release({ args, stdout, stderr, progress }: Terminal): Promise<number> {
  const line = readProgram(program, args)
  if (line.kind === 'print') {
    stdout(line.text)
    return EXIT.done
  }
  const checkout = await look()
  const faults = faultsOf(checkout)
  for (const fault of faults) stderr(`${fault}\n`)
  if (faults.length > 0) return EXIT.notDone
  const { tag, notes } = planOf(checkout)
  progress.now('building')
  await run('npm', ['run', 'build'], { cwd: root })
  for (const folder of published) stdout(await pack(folder, line.options['dry-run']))
  stdout(`\n${tag}\n\n${notes}\n\n`)
  if (line.options['dry-run']) {
    stdout(`Dry run: ${tag} was not made.\n`)
    return EXIT.done
  }
  await run('git', ['tag', '--annotate', tag, '--message', `${tag}\n\n${notes}`], { cwd: root })
  stdout(`Tagged ${tag}. To publish: git push origin ${tag}, then npm publish in ${published.join(' and ')}.\n`)
  return EXIT.done
}

async function look(): Promise<Checkout> {
  const git = async (...args: string[]) =>
    (await run('git', args, { cwd: root })).stdout.trim().split('\n').filter(Boolean)
  const json = async (path: string) =>
    JSON.parse(await readFile(join(root, path, 'package.json'), 'utf8')) as { name: string; version: string }
  const packages = await Promise.all(published.map(json))
  return {
    version: (await json('')).version,
    packages: Object.fromEntries(packages.map(({ name, version }) => [name, version])),
    changelog: await readFile(join(root, 'CHANGELOG.md'), 'utf8'),
    branch: (await git('rev-parse', '--abbrev-ref', 'HEAD'))[0] ?? '',
    changed: (await git('status', '--porcelain')).map((entry) => entry.replace(/^\S+\s+/, '')),
    tags: await git('tag', '--list'),
  }
}

/** Packs a package into its folder, or says what would be in the tarball. */
async function pack(folder: string, dryRun: boolean): Promise<string> {
  const args = ['pack', '--json', ...(dryRun ? ['--dry-run'] : [])]
  const { stdout } = await run('npm', args, { cwd: join(root, folder), maxBuffer: 64 * 1024 * 1024 })
  const [{ filename, size, entryCount } = { filename: '', size: 0, entryCount: 0 }] = JSON.parse(stdout) as {
    filename: string
    size: number
    entryCount: number
  }[]
  return `${folder}/${filename}: ${entryCount} files, ${Math.round(size / 1024)} kB\n`
}
