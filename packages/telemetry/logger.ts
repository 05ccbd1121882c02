import { harmlessLogLine } from '@product-events/terminal'
import { destination, type DestinationStream, type Logger, type LoggerOptions, pino, stdTimeFunctions } from 'pino'
import pretty from 'pino-pretty'
import { cutLine, redact } from './redact.ts'

export type { Logger }

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

let stdout: DestinationStream | undefined

/**
 * Stdout, to which the lines of one turn of the event loop are written together, before the next turn begins: under
 * load a write for each line costs a twelfth of a request. No line waits for another turn, so none that a killed
 * process owes is older than the work in its hands.
 */
function bufferedStdout(): DestinationStream {
  if (stdout) return stdout
  const written = destination({ dest: 1, sync: true })
  let lines = ''
  const flushSync = () => {
    const text = lines
    lines = ''
    if (text !== '') written.write(text)
  }
  process.on('exit', flushSync)
  const stream = {
    write(line: string) {
      if (lines === '') setImmediate(flushSync)
      lines += line
    },
    // What pino calls after a fatal line.
    flushSync,
  }
  return (stdout = stream)
}

/**
 * JSON lines on stdout; pretty ones when stdout is a terminal. Passwords of connection strings are hidden, and fields
 * of long lines are cut.
 */
export function createLogger(service: string, level: LogLevel): Logger {
  const options: LoggerOptions = {
    level,
    base: { service },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    hooks: { streamWrite: (line) => cutLine(redact(line)) },
  }
  if (!process.stdout.isTTY) return pino(options, bufferedStdout())
  // A stream, not pino's transport: a worker thread finds no module of its own in a bundle, and loses the last lines.
  const harmless = { ...options, hooks: { streamWrite: (line: string) => harmlessLogLine(redact(line)) } }
  return pino(harmless, pretty({ ignore: 'pid,hostname,service', sync: true }))
}
