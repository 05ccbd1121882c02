import { Writable } from 'node:stream'
import { type Logger, pino } from 'pino'

/** A logger that keeps its lines, each as `level: the names of its fields`, in alphabetical order. */
export function keepLines(): { log: Logger; take(): string[] } {
  const lines: string[] = []
  const stream = new Writable({
    write(line: Buffer, _, done) {
      const { level, msg, ...fields } = JSON.parse(line.toString()) as { level: string; msg: string }
      if (!msg) throw new Error(`a line without wording: ${line.toString()}`)
      lines.push([`${level}:`, ...Object.keys(fields).toSorted()].join(' '))
      done()
    },
  })
  const log = pino(
    { level: 'trace', base: {}, timestamp: false, formatters: { level: (label) => ({ level: label }) } },
    stream,
  )
  return { log, take: () => lines.splice(0) }
}
