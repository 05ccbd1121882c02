import { type Program, readProgram, UsageError } from '@product-events/terminal'
import { OPERATIONS_URLS, parseOperationsUrls, type Service, type StatusConfig } from '../config.ts'
import type { Instance } from './scrape.ts'

export const program = {
  name: 'status',
  version: '1.0.0',
  summary: 'the seven steps from a request to its notification on one screen',
  more: `It asks the services for their metrics and health, and PostgreSQL and SQS themselves if DATABASE_URL (or
PRODUCTS_DATABASE_URL and NOTIFICATIONS_DATABASE_URL) and AWS_REGION say where they are: so it also answers when the
process that is ill does not. A service of several processes has several URLs: give its option more than once, or put
commas between. A relay that runs alone counts as product-service.
Exit code 0 means that nothing is wrong, and 1 that something is wrong or unknown.`,
  options: {
    watch: { help: 'look again every two seconds, until Ctrl-C' },
    json: { help: 'for machines: one JSON document; with --watch one a line' },
    'product-service': { value: 'URL', many: true, help: 'its metrics and health (default http://127.0.0.1:8082)' },
    'notification-service': { value: 'URL', many: true, help: 'the same (default http://127.0.0.1:8083)' },
  },
} as const satisfies Program

export type Typed =
  { kind: 'print'; text: string } | { kind: 'status'; instances: Instance[]; watch: boolean; json: boolean }

/** Options go before variables. Throws a `UsageError`. */
export function readArguments(args: string[], { urls }: StatusConfig): Typed {
  const line = readProgram(program, args)
  if (line.kind === 'print') return line
  const { options } = line
  const instances = (['product-service', 'notification-service'] as const).flatMap((service) =>
    urlsOf(service, options[service].length > 0 ? options[service] : urls[service]).map((url) => ({ service, url })),
  )
  return { kind: 'status', instances, watch: options.watch, json: options.json }
}

/**
 * Whether an option says where a process is: like a variable that does, it means another stack than that of `npm
 * start`.
 */
export function nameProcesses(args: readonly string[]): boolean {
  return args.some((arg) => /^--(product|notification)-service\b/.test(arg))
}

function urlsOf(service: Service, typed: string[]): string[] {
  const urls = parseOperationsUrls(typed.join(','))
  if (!urls) throw new UsageError(`--${service} must be ${OPERATIONS_URLS}, not "${typed.join(',')}"`)
  return [...new Set(urls)]
}
