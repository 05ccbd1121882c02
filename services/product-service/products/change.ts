import { randomUUIDv7 } from 'node:crypto'
import { SOURCE } from '@product-events/contracts'
import { outageBackoffMs } from '@product-events/outages'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EntityTags } from '@product-events/http-api'
import { type SpanContext, traceHeaders } from '@product-events/telemetry'

/** Arguments of an update or a deletion beside the product's id. */
export interface Change {
  eventId: string
  source: string
  /** Headers of the event, as JSON. */
  headers: string
  /** Strong ETags that the product must have one of; null when any will do. */
  match: string[] | null
  /** ETags that the product must not have; null when none will do. */
  noneMatch: string[] | null
}

export function newChange({ match, noneMatch }: EntityTags, trace: SpanContext | undefined): Change {
  return {
    eventId: randomUUIDv7(),
    source: SOURCE,
    headers: JSON.stringify(trace ? traceHeaders(trace) : {}),
    match: match === '*' ? null : match,
    noneMatch: noneMatch === '*' ? null : noneMatch,
  }
}

/**
 * Of two changes at once one waits for the other, and so loses only where the database's default isolation is stricter.
 */
const LOST = /^(40001|40P01)$/
const MAX_TRIES = 5
const MAX_PAUSE_MS = 100

/** Runs a statement that did nothing when it lost against another one; then it runs again, five times in all. */
export async function untilWon<Result>(run: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await run()
    } catch (error) {
      if (tries === MAX_TRIES || !LOST.test((error as { code?: string }).code ?? '')) throw error
    }
    await sleep(outageBackoffMs(tries, MAX_PAUSE_MS))
  }
}
