/** `npm run pictures`: runs everything and `test_api.sh`, and makes the README's pictures from that run. */
import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Browser } from 'playwright-core'
import { npmStart, type Run } from '../npm-start.ts'
import { openBrowser, photographHtml, photographUrl } from './browser.ts'
import { photographConsole } from './console.ts'
import { excerpt } from './excerpt.ts'
import { filmOutage } from './film.ts'
import { type Terminal, terminalPage } from './frame.ts'
import { FOLDER, MAX_BYTES, MAX_FILM_BYTES, type Picture } from './pictures.ts'

const root = resolve(import.meta.dirname, '../..')
/** test_api.sh creates three products and deletes them: these, and the first that is deleted. */
const NOTIFICATIONS = 4
const LOOK_EVERY_MS = 50
/** Long past any run that goes well. */
const GIVE_UP_AFTER_MS = 30_000

await using opened = new AsyncDisposableStack()
try {
  const browser = await openBrowser()
  opened.defer(() => browser.close())
  // Not below os.tmpdir(): it may be one that only its owner can enter, and PostgreSQL may run as another user.
  const dataDir = await mkdtemp('/tmp/product-events-pictures-')
  await chmod(dataDir, 0o755)
  opened.defer(() => rm(dataDir, { recursive: true, force: true }))
  // On the ports that the README names; if one is taken, `npm start` says so.
  const stack = npmStart(dataDir, {})
  opened.defer(async () => {
    stack.child.kill('SIGTERM')
    await stack.ended
  })
  await stack.ready()
  await takeAll(browser, stack)
  const { light, dark } = await filmOutage(browser)
  await save('outage-light.webp', light, MAX_FILM_BYTES)
  await save('outage-dark.webp', dark, MAX_FILM_BYTES)
  // Last: they leave a dead event, and the film begins with none.
  const pages = await photographConsole(browser, 'http://127.0.0.1:8084', 'http://127.0.0.1:8080')
  for (const [name, picture] of Object.entries(pages)) await save(name, picture)
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
}

async function takeAll(browser: Browser, stack: Run): Promise<void> {
  const requests = await shell('sh test_api.sh')
  const notifications = await linesOf(stack, '"msg":"notification"', NOTIFICATIONS)
  const [created = ''] = await linesOf(stack, '"msg":"product created"', 1)
  const { request_id } = JSON.parse(created) as { request_id: string }
  const counters = `curl -s http://127.0.0.1:8082/metrics | grep -E 'products_(created|deleted)_total'`
  const terminals: Partial<Record<Picture, Terminal>> = {
    'requests.png': { title: 'requests and answers', command: 'sh test_api.sh', output: excerpt(requests) },
    'counters.png': { title: 'product-service: counters', command: counters, output: await shell(counters) },
    'product-service-log.png': {
      title: 'product-service: one request in the log',
      command: `npm start | grep ${request_id}`,
      output: (await linesOf(stack, request_id, 2)).join('\n'),
    },
    'notification-service-log.png': {
      title: 'notification-service: the events in the log',
      command: `npm start | grep '"msg":"notification"' | head -${NOTIFICATIONS}`,
      output: notifications.slice(0, NOTIFICATIONS).join('\n'),
    },
  }
  await mkdir(join(root, FOLDER), { recursive: true })
  for (const [name, terminal] of Object.entries(terminals)) {
    await save(name, await photographHtml(browser, terminalPage(withoutMachine(terminal))))
  }
  await save('api-page.png', await photographUrl(browser, 'http://127.0.0.1:8080/docs'))
}

/**
 * What `npm start` printed with this text in it, without the service's name before it, once there are that many lines.
 */
async function linesOf(stack: Run, text: string, count: number): Promise<string[]> {
  for (const until = Date.now() + GIVE_UP_AFTER_MS; Date.now() < until; await sleep(LOOK_EVERY_MS)) {
    const lines = stack.output().split('\n').slice(0, -1)
    const found = lines.filter((line) => line.includes(text)).map((line) => line.slice(line.indexOf('{')))
    if (found.length >= count) return found
  }
  throw new Error(`the services did not log ${count} lines with ${text}:\n${stack.output()}`)
}

async function shell(command: string): Promise<string> {
  return (await promisify(execFile)('sh', ['-c', command], { cwd: root, env: { PATH: process.env.PATH } })).stdout
}

/** A picture shows what any machine would show. */
function withoutMachine(terminal: Terminal): Terminal {
  for (const machine of [root, '/tmp/', process.env.HOME ?? root]) {
    if (terminal.output.includes(machine)) throw new Error(`${terminal.title} would show ${machine}`)
  }
  return terminal
}

async function save(name: string, picture: Buffer, most = MAX_BYTES): Promise<void> {
  if (picture.length > most) throw new Error(`${name} would have ${picture.length} bytes, at most ${most}`)
  await writeFile(join(root, FOLDER, name), picture)
  process.stdout.write(`${FOLDER}/${name}  ${Math.ceil(picture.length / 1024)} kB\n`)
}
