import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { localCredentials, machineVariables } from '@product-events/local'

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** What a command says on a machine that is so busy that it takes more than two seconds. */
const PROGRESS = /^.+ \(\d[\w. ]* s\)\n/gm

/** Runs a command as `npm run` does, in exactly the environment given; `stop` ends it. */
export function startCommand(
  name: 'find' | 'inbox' | 'outbox' | 'status',
  args: string[],
  env: Record<string, string>,
  cwd?: string,
) {
  const child = spawn(process.execPath, [join(import.meta.dirname, '..', `${name}.ts`), ...args], {
    env: { ...machineVariables(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd && { cwd }),
  })
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)]
  const ended = once(child, 'close').then(async ([code]): Promise<Ended> => ({
    code: code as number | null,
    stdout: await stdout,
    stderr: (await stderr).replaceAll(PROGRESS, ''),
  }))
  return { child, ended, stop: () => child.kill('SIGINT') }
}

/** The variables that lead a command to these databases and this queue. */
export function variablesFor(
  sources: {
    productsUrl: string
    notificationsUrl: string
    queue: { name: string }
  },
  sqsEndpoint: string,
): Record<string, string> {
  return {
    ...localCredentials,
    PRODUCTS_DATABASE_URL: sources.productsUrl,
    NOTIFICATIONS_DATABASE_URL: sources.notificationsUrl,
    SQS_QUEUE_NAME: sources.queue.name,
    AWS_ENDPOINT_URL_SQS: sqsEndpoint,
  }
}
