import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDataDir } from './data-dir.ts'
import { readOrMakePassword } from './password.ts'
import { machineVariables } from './service.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp('/tmp/product-events-contact-')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** `npm start`, refused before anything is made. */
async function start(args: string[], env: Record<string, string> = {}, user: { uid?: number; gid?: number } = {}) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'start.ts'), ...args], {
    env: { ...machineVariables(), DATA_DIR: join(folder, 'unused'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...user,
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: child.exitCode, text: (stdout + stderr).trim() }
}

test('an option that does not exist is told in one line, with the way to the help', async () => {
  expect(await start(['--port', '3'])).toEqual({
    code: 2,
    text: 'npm start: there is no option --port. Try npm start -- --help.',
  })
})

test('a DATA_DIR that can not be one is told in one line that names it, and nothing is made', async () => {
  const file = join(folder, 'file')
  await writeFile(file, 'a file')
  const [itself, below, nowhere] = await Promise.all([
    start([], { DATA_DIR: file }),
    start([], { DATA_DIR: join(file, 'below') }),
    start([], { DATA_DIR: '/proc/none/data' }),
  ])
  expect(itself).toEqual({
    code: 1,
    text: `DATA_DIR is ${file}, which is a file (EEXIST). Set DATA_DIR to a folder that can be written`,
  })
  expect(below).toMatchObject({
    code: 1,
    text: expect.stringMatching(/^DATA_DIR is [^\n]*below one \(ENOTDIR\)[^\n]*$/),
  })
  expect(nowhere).toMatchObject({ code: 1, text: expect.stringMatching(/^DATA_DIR is \/proc\/none\/data[^\n]*$/) })
})

test.runIf(process.getuid?.() === 0)(
  'a full disk, and a folder of another user, is told before anything is made',
  async () => {
    const [small, foreign] = [join(folder, 'small'), join(folder, 'foreign')]
    await mkdir(small)
    await mkdir(foreign, { mode: 0o755 })
    await chmod(folder, 0o755)
    const system = (command: string, args: string[]) =>
      once(spawn(command, args), 'close').then(([code]) => code as number)
    expect(await system('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', small])).toBe(0)
    const full = await start([], { DATA_DIR: join(small, 'data') })
    await system('umount', [small])
    expect(full).toMatchObject({
      code: 1,
      text: expect.stringMatching(/^DATA_DIR is [^\n]* has \d+ MB free: 200 MB are required[^\n]*$/),
    })
    const denied = await start([], { DATA_DIR: join(foreign, 'data') }, { uid: 65534, gid: 65534 })
    expect(denied).toMatchObject({
      code: 1,
      text: expect.stringMatching(/^DATA_DIR is [^\n]*may not write [^\n]*\(EACCES\)[^\n]*$/),
    })
  },
)

test.each([
  [{ LOG_LEVEL: 'loud' }, /^configuration: LOG_LEVEL must be one of [^\n]*not "loud"$/],
  [{ SQS_QUEUE_NAME: 'my queue' }, /^configuration: SQS_QUEUE_NAME must be the name of a queue[^\n]*"my queue"$/],
])('%j is told before PostgreSQL is made', async (env, expected) => {
  const { code, text } = await start([], env)
  expect({ code, text }).toEqual({ code: 1, text: expect.stringMatching(expected) })
  await expect(stat(join(folder, 'unused'))).rejects.toThrow('ENOENT')
})

test('the data directory is closed to other users, with what an earlier version left in it', async () => {
  const dataDir = join(folder, 'data')
  await mkdir(join(dataDir, 'sqs'), { recursive: true })
  await writeFile(join(dataDir, 'sqs', 'fauxqs.db'), 'messages', { mode: 0o644 })
  await chmod(dataDir, 0o755)
  await openDataDir(dataDir)
  const password = await readOrMakePassword(dataDir)
  expect(await readOrMakePassword(dataDir)).toBe(password)
  const forOthers = async (path: string) => (await stat(path)).mode & 0o007
  expect(await forOthers(dataDir)).toBe(0)
  for (const path of ['sqs', 'sqs/fauxqs.db', 'postgres-password'])
    expect((await stat(join(dataDir, path))).mode & 0o077).toBe(0)
})

test('an older Node gets one line, from JavaScript that it can read', async () => {
  const script = join(import.meta.dirname, '../packages/process/demand-node.js')
  const old = `Object.defineProperty(process.versions, "node", { value: "20.20.2" }); await import(${JSON.stringify(script)})`
  const child = spawn(process.execPath, ['--input-type=module', '-e', old], { stdio: ['ignore', 'ignore', 'pipe'] })
  const [stderr] = await Promise.all([text(child.stderr), once(child, 'close')])
  expect({ code: child.exitCode, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/^Node 24 or later is required, and this is 20\.20\.2\.[^\n]*\n$/),
  })
})
