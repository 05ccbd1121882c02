import { parseExposition } from '../exposition.ts'
import type { Look, ServiceName } from '../scrape.ts'

/** A process that answered at second `at` with these metrics. */
export function look(service: ServiceName, at: number, text: string, url = 'http://x', missing = {}): Look {
  return { service, url, at: at * 1000, kind: 'answered', metrics: parseExposition(text), missing }
}
