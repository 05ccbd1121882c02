import { parseArgs } from 'node:util'
import { OPERATIONS_URLS, parseOperationsUrls, type Service, type StatusConfig } from '../config.ts'
import type { Instance } from './scrape.ts'

export const help = `npm run status -- [--watch] [--json] [--product-service URL] [--notification-service URL]

One screen: how the seven steps from a request to its notification are doing, by the metrics and health of the services.
Nothing else is asked: no database, no AWS.

  --watch                 shows it anew every two seconds, until Ctrl-C
  --json                  for programs; with --watch one line each time
  --product-service       where its metrics and health are: http://127.0.0.1:8082
  --notification-service  the same: http://127.0.0.1:8083

A service of several processes has several URLs: give its option more than once, or put commas between. A relay that runs
alone counts as product-service. PRODUCT_SERVICE_OPERATIONS_URL and NOTIFICATION_SERVICE_OPERATIONS_URL do the same.

Ends with 0 when nothing is wrong, 1 when something is, 2 when it was not understood.
`

/** What was typed is not understood; the message says what was expected. */
export class UsageError extends Error {}

export type Typed = { kind: 'help' } | { kind: 'status'; instances: Instance[]; watch: boolean; json: boolean }

/** Options go before variables. Throws a `UsageError`. */
export function readArguments(args: string[], { urls }: StatusConfig): Typed {
  const values = parse(args)
  if (values.help) return { kind: 'help' }
  const instances = (['product-service', 'notification-service'] as const).flatMap((service) =>
    urlsOf(service, values[service] ?? urls[service]).map((url) => ({ service, url })),
  )
  return { kind: 'status', instances, watch: values.watch, json: values.json }
}

function parse(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        watch: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        'product-service': { type: 'string', multiple: true },
        'notification-service': { type: 'string', multiple: true },
      },
    })
    return values
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${help}`)
  }
}

function urlsOf(service: Service, typed: string[]): string[] {
  const urls = parseOperationsUrls(typed.join(','))
  if (!urls) throw new UsageError(`--${service} must be ${OPERATIONS_URLS}, not "${typed.join(',')}"`)
  return [...new Set(urls)]
}
