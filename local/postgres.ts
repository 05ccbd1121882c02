import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { isAlive, type Part, recordLastWords, stopChild } from './child.ts'
import { portIsFree } from './free-port.ts'
import {
  type Binaries,
  binaries,
  exists,
  fingerprint,
  NOBODY,
  reachableByNobody,
  runsAsRoot,
} from './postgres-binaries.ts'

const asNobody = runsAsRoot ? { uid: NOBODY, gid: NOBODY } : {}
/** A server that was told to stop writes a checkpoint first; one that takes longer than this is killed. */
const STOP_TIMEOUT_MS = 10_000
/** The backends of a server that was killed notice within moments, and hold its memory until then. */
const MEMORY_RETRY_MS = 5_000

export interface LocalPostgres extends Part {
  /** `postgres://postgres@127.0.0.1:port`, without a database name; with the password if there is one. */
  url: string
  /** The server's data may live elsewhere than asked: see `reachableByNobody`. */
  dataDir: string
}

export interface PostgresOptions {
  dataDir: string
  port: number
  /** Settings of postgresql.conf for this run. */
  settings?: Record<string, string>
  /** A Ctrl-C in the terminal goes to every process of its group; true: not to this one, the caller stops it. */
  detached?: boolean
  /** Required of every connection. Without it every user of this machine is the superuser: for tests. */
  password?: string
  /** Called before a new data directory is made, which takes seconds. */
  onFirstStart?: () => void
}

/**
 * Starts the embedded PostgreSQL on `dataDir` (made on first use) and resolves once it takes connections. One that an
 * earlier, killed run left behind on the same folder is stopped first. Rejects with what the server said.
 */
export async function startPostgres(options: PostgresOptions): Promise<LocalPostgres> {
  const bin = await binaries()
  const dataDir = await reachableByNobody(resolve(options.dataDir))
  if (!(await exists(join(dataDir, 'PG_VERSION')))) {
    options.onFirstStart?.()
    await initialise(bin, dataDir)
  }
  await stopOrphan(bin, dataDir)
  if (options.password !== undefined) await demandPassword(bin, dataDir, options.password)
  let started = await launch(bin, dataDir, options)
  for (const until = Date.now() + MEMORY_RETRY_MS; 'error' in started && started.memoryHeld && Date.now() < until;) {
    started = await launch(bin, dataDir, options)
  }
  if ('error' in started) throw new Error(`PostgreSQL did not start: ${started.error}`)
  const { child, lastWords } = started
  return {
    name: 'PostgreSQL',
    url: `postgres://postgres${options.password === undefined ? '' : `:${options.password}`}@127.0.0.1:${options.port}`,
    dataDir,
    process: child,
    lastWords,
    // SIGINT is "fast": clients are cut off, transactions rolled back. SIGQUIT is "immediate": recovery at next start.
    stop: () => stopChild(child, { signal: 'SIGINT', force: 'SIGQUIT', timeoutMs: STOP_TIMEOUT_MS }),
    kill: () => child.kill('SIGQUIT'),
  }
}

/** Stops the server that an earlier, killed run left behind on `dataDir`, if there is one. */
export async function stopOrphanedPostgres(dataDir: string): Promise<void> {
  await stopOrphan(await binaries(), await reachableByNobody(resolve(dataDir)))
}

type Launched = { child: ChildProcess; lastWords: () => string } | { error: string; memoryHeld: boolean }

async function launch(bin: Binaries, dataDir: string, options: PostgresOptions): Promise<Launched> {
  const settings = { listen_addresses: '127.0.0.1', unix_socket_directories: '', ...options.settings }
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn(bin.postgres, ['-D', dataDir, '-p', String(options.port), ...args], {
    ...asNobody,
    detached: options.detached ?? false,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
  })
  const lastWords = recordLastWords(child)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () =>
      resolve({ error: lastWords(), memoryHeld: lastWords().includes('pre-existing shared memory block') }),
    )
    child.stderr?.on('data', () => {
      // A standby says "read-only connections".
      if (/ready to accept (read-only )?connections/.test(lastWords())) resolve({ child, lastWords })
    })
  })
}

/**
 * A killed run leaves its server behind, and a killed server its `postmaster.pid`. The process id in there may belong
 * to anybody by now (after a reboot, or in a new container), and PostgreSQL, which looks no further, would not start:
 * it is the server's only if a process listens on its port.
 */
async function stopOrphan(bin: Binaries, dataDir: string): Promise<void> {
  const file = join(dataDir, 'postmaster.pid')
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n')
  const [pid, port] = [Number(lines[0]), Number(lines[3])]
  if (!(pid > 0) || !isAlive(pid)) return
  // A server that was killed in its first moments did not get to write its port.
  if (port > 0 && !(await portIsFree(port))) await run(bin.pg_ctl, ['stop', '-m', 'fast', '-w', '-D', dataDir])
  else await rm(file, { force: true })
}

/** Makes the cluster beside its place and moves it there, so that an interrupted attempt never looks finished. */
async function initialise(bin: Binaries, dataDir: string): Promise<void> {
  const unfinished = `${dataDir}.unfinished`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished, { recursive: true, mode: 0o700 })
  if (asNobody.uid) await chown(unfinished, NOBODY, NOBODY)
  const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C']
  // --no-sync: a power cut in the first seconds costs an empty cluster. The server itself syncs as always.
  await run(bin.initdb, ['-D', unfinished, '-U', 'postgres', '--auth=trust', '--no-sync', ...locale])
  await rename(unfinished, dataDir)
}

/**
 * Lets in only with the password, also on a cluster that an earlier version made without one. The rules say for which
 * password they were written, so that it is set once.
 */
async function demandPassword(bin: Binaries, dataDir: string, password: string): Promise<void> {
  const file = join(dataDir, 'pg_hba.conf')
  const rules = `# password ${fingerprint(password)}\nhost all all 127.0.0.1/32 scram-sha-256\n`
  if ((await readFile(file, 'utf8').catch(() => '')) === rules) return
  // base64url: it needs no quoting.
  await run(bin.postgres, ['--single', '-D', dataDir, 'postgres'], `ALTER ROLE postgres PASSWORD '${password}'\n`)
  await writeFile(file, rules)
}

async function run(command: string, args: string[], input?: string): Promise<void> {
  const child = spawn(command, args, {
    ...asNobody,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  })
  child.stdin.end(input)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(faultOf(command, code, output))
}

/** A full disk is the usual reason, and stands somewhere in the middle of what the program printed. */
function faultOf(command: string, code: number | null, output: string): string {
  const full = /^.*No space left on device.*$/m.exec(output)
  if (full) return `the disk of DATA_DIR is full: ${full[0].trim()}`
  return `${basename(command)} ended with ${code}:\n${output.trim()}`
}
