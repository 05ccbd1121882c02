import { isRefusedLogin } from '@product-events/database'
import { databaseOutage, repeat } from '@product-events/outages'
import type { ProcessLogLines } from './log-lines.ts'

/**
 * Says once that the database fails requests, and once that it works again, whatever the number of requests. A database
 * that comes back in a state that needs an operator (a standby, a full disk) gets one line more.
 */
export interface DatabaseWatch {
  /** A request got 503 because of this error, for this reason. */
  failed(error: unknown, reason: string): void
}

/** So that the line about the return comes within a second of it. */
const ASK_EVERY_MS = 500
/**
 * One statement in a while may hit a lock or a timeout although the database works: it is well when none did for so
 * long.
 */
const QUIET_MS = 10_000

export interface DatabaseWatchOptions {
  /** Whether the database can do its job, as the health check finds. Must not reject. */
  works: () => Promise<boolean>
  log: Pick<ProcessLogLines, 'databaseLost' | 'loginRefused' | 'databaseNeedsOperator' | 'databaseBack'>
  stopping: AbortSignal
}

export function createDatabaseWatch({ works, log, stopping }: DatabaseWatchOptions): DatabaseWatch {
  let since: number | undefined
  let refused = 0
  /** An operator knows by now that there is something to do. */
  let operatorKnows = false
  let worksFrom = 0

  async function watchUntilBack(): Promise<void> {
    const back = new AbortController()
    await repeat({
      async pass() {
        const asked = performance.now()
        if ((await works()) && asked >= worksFrom) back.abort()
        return ASK_EVERY_MS
      },
      retryMs: ASK_EVERY_MS,
      onFailed: () => {},
      signal: AbortSignal.any([back.signal, stopping]),
    })
    if (stopping.aborted || since === undefined) return
    log.databaseBack(Math.round(performance.now() - since), refused)
    since = undefined
    refused = 0
    operatorKnows = false
  }

  return {
    failed(error, reason) {
      const now = performance.now()
      refused++
      worksFrom = Math.max(worksFrom, isUnreachable(error) ? now : now + QUIET_MS)
      const isFirst = since === undefined
      if (!isFirst && (operatorKnows || !needsOperator(error))) return
      operatorKnows = needsOperator(error)
      if (!isFirst) {
        log.databaseNeedsOperator(reason)
        return
      }
      if (isRefusedLogin(error)) log.loginRefused(reason)
      else log.databaseLost(reason)
      since = now
      void watchUntilBack()
    },
  }
}

/**
 * Refused logins, a server out of room or connections, a standby, a missing right or table: waiting alone does not
 * help.
 */
function needsOperator(error: unknown): boolean {
  const { code = '' } = error as { code?: string }
  return /^(28|53|25006$|42)/.test(code)
}

/** A health check that succeeds after such an error says that it is over; after a timeout or a lock it does not. */
function isUnreachable(error: unknown): boolean {
  const { code = '' } = error as { code?: string }
  return databaseOutage(error) !== undefined && /^(E[A-Z]|08|28|57P|58|53|25006|3D)/.test(code)
}
