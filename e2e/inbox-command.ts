import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { localCredentials, machineVariables } from '@product-events/local'

export interface InboxTarget {
  sqsEndpoint: string
  queueName: string
  databaseUrl: string
}

/** `npm run inbox -- <args>` as a process; resolves with what it printed and its exit code. */
export function runInbox(target: InboxTarget, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const main = resolve(import.meta.dirname, '../operations/inbox.ts')
  const env = {
    ...localCredentials,
    ...machineVariables(),
    DATABASE_URL: target.databaseUrl,
    AWS_ENDPOINT_URL_SQS: target.sqsEndpoint,
    SQS_QUEUE_NAME: target.queueName,
  }
  return new Promise((done) => {
    execFile(process.execPath, [main, ...args], { env }, (error, out, err) => {
      done({ code: error ? Number(error.code ?? 1) : 0, out, err })
    })
  })
}
