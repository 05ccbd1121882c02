import type { Logger } from '@product-events/telemetry'

export type ProcessLogLines = ReturnType<typeof processLogLines>

/** The lines that every service writes about its own life and its database. */
export function processLogLines(log: Logger) {
  return {
    migrated: (migrations: string[]) => log.info({ migrations }, 'database is up to date'),
    waiting: (what: string, reason: string) => log.warn({ reason }, `waiting for ${what}`),
    stopping: (signal: string) => log.info({ signal }, 'stopping: requests, sends and messages in flight are finished'),
    stopped: () => log.info('stopped'),
    crashed: (error: Error) => log.fatal({ err: error }, 'stopping after an error that nothing handled: a bug'),
    warned: (warning: Error) => log.warn({ reason: warning.message }, 'Node reports a warning'),
    queueMade: (queue: string) =>
      log.warn({ queue }, 'the queue, or its dead-letter queue, was gone; it is there again, without its messages'),
    connectionLost: (error: Error) =>
      log.warn({ reason: error.message }, 'an idle database connection was lost; the next query opens another'),
    databaseLost: (reason: string) =>
      log.error({ reason }, 'the database fails requests; they get 503 until it works again'),
    loginRefused: (reason: string) =>
      log.error(
        { reason },
        'the database refuses user or password; requests get 503. DATABASE_PASSWORD_FILE is read for each new connection',
      ),
    databaseNeedsOperator: (reason: string) =>
      log.error({ reason }, 'the database answers, but an operator has to act; requests get 503 until then'),
    databaseBack: (away_ms: number, refused: number) =>
      log.info({ away_ms, refused }, 'the database works again; refused requests were answered with 503'),
  }
}
