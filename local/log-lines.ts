import { harmlessLogLine } from '@product-events/terminal'
import { prettyFactory } from 'pino-pretty'
import { serviceNames } from './service.ts'

const WIDTH = Math.max(...serviceNames.map((name) => name.length))
/** Cyan and magenta: what neither pino-pretty nor a terminal's own messages use for a level. */
const COLOURS: Record<string, string> = {
  'product-service': '\x1b[36m',
  'notification-service': '\x1b[35m',
  console: '\x1b[34m',
}
const RESET = '\x1b[0m'

const pretty = prettyFactory({ colorize: true, ignore: 'pid,hostname,service', translateTime: 'SYS:HH:MM:ss.l' })

/** A line of a service's log as `npm start` shows it: behind the service's name; readable when a person watches. */
export function logLine(service: string, line: string, terminal: boolean): string {
  const name = service.padEnd(WIDTH)
  if (!terminal) return `${name} | ${line}\n`
  const prefix = `${COLOURS[service] ?? ''}${name}${RESET} | `
  const shown = harmlessLogLine(line)
  return (shown.startsWith('{') ? pretty(shown) : `${shown}\n`).replace(/^(?=.)/gm, prefix)
}
