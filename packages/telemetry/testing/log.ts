import { type Logger, pino } from 'pino'

/** A logger whose lines, parsed, can be looked at. */
export function recordLog(level: 'info' | 'debug' | 'trace' = 'info'): {
  logger: Logger
  logs: Record<string, unknown>[]
} {
  const logs: Record<string, unknown>[] = []
  const write = (line: string) => void logs.push(JSON.parse(line) as Record<string, unknown>)
  return { logger: pino({ level }, { write }), logs }
}

/** A logger that keeps its lines, each as `level: the names of its fields`, in alphabetical order. */
export function keepLines(): { log: Logger; take(): string[] } {
  const { logger, logs } = recordLog('trace')
  return { log: logger, take: () => logs.splice(0).map(shapeOf) }
}

/** Without what pino adds to every line. */
function shapeOf({
  level,
  msg,
  time: _time,
  pid: _pid,
  hostname: _hostname,
  ...fields
}: Record<string, unknown>): string {
  if (!msg) throw new Error(`a line without wording: ${JSON.stringify(fields)}`)
  return [`${pino.levels.labels[Number(level)]}:`, ...Object.keys(fields).toSorted()].join(' ')
}
