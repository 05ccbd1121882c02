import { type Logger, pino, stdTimeFunctions, type TransportSingleOptions } from 'pino'

export type { Logger }

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** `scheme://user:secret@host` anywhere in a string. */
const CREDENTIALS_IN_URL = /([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s@/]*@/gi

/** Hides the password of every connection string in `text`. */
export function redact(text: string): string {
  return text.replace(CREDENTIALS_IN_URL, '$1:***@')
}

/** JSON lines on stdout; pretty ones when stdout is a terminal. No connection string's password passes. */
export function createLogger(service: string, level: LogLevel): Logger {
  const pretty: TransportSingleOptions | undefined = process.stdout.isTTY
    ? { target: 'pino-pretty', options: { ignore: 'pid,hostname,service' } }
    : undefined
  return pino({
    level,
    base: { service },
    timestamp: stdTimeFunctions.isoTime,
    formatters: pretty ? {} : { level: (label) => ({ level: label }) },
    hooks: {
      streamWrite: redact,
    },
    ...(pretty && { transport: pretty }),
  })
}
