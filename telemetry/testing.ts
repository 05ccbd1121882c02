import { type Logger, pino } from 'pino'

/** A logger whose lines, parsed, can be looked at. */
export function recordLog(level: 'info' | 'debug' = 'info'): { logger: Logger; logs: Record<string, unknown>[] } {
  const logs: Record<string, unknown>[] = []
  const write = (line: string) => void logs.push(JSON.parse(line) as Record<string, unknown>)
  return { logger: pino({ level }, { write }), logs }
}
