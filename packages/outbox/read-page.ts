import { databaseOutage, isolate } from '@product-events/outages'
import { type claimPending, type EventRow, type LaneToRead, MAX_BYTES, readContent } from './claim.ts'
import type { Tables } from './database.ts'
import type { OutboxEvent } from './send.ts'

/** The events of a claim. */
export interface Page {
  events: OutboxEvent[]
  /** Events that no broker can be handed, with the reason. */
  broken: { event: OutboxEvent; reason: string }[]
  /** Bytes of the payloads, as text. */
  bytes: number
}

/**
 * Reads the next events by `claim`. If PostgreSQL refuses, and is not to blame itself, one row may be: then they are
 * read apart. Rejects with the database's error when the failure is the database's.
 */
export async function readPage(tables: Tables, ...claimed: Claimed): Promise<Page> {
  try {
    const [claim, lanes, perLane] = claimed
    return addTo(emptyPage(), await claim(tables, lanes, perLane, 'with content'))
  } catch (error) {
    if (databaseOutage(error) !== undefined) throw error
    return readApart(tables, ...claimed)
  }
}

type Claimed = [claim: typeof claimPending, lanes: LaneToRead[], perLane: number]

const emptyPage = (): Page => ({ events: [], broken: [], bytes: 0 })

/**
 * Reads the ids of the next events, and then their content in halves, until a row that can't be read is found. Once the
 * parts reach `MAX_BYTES` the others are left to the next claim: events of one key would be missing between them.
 */
export async function readApart(tables: Tables, ...[claim, lanes, perLane]: Claimed): Promise<Page> {
  const page = emptyPage()
  const rows = await claim(tables, lanes, perLane, 'ids alone')
  let bytes = 0
  const { culprits, outage } = await isolate(rows, {
    attempt: async (part) => {
      if (bytes >= MAX_BYTES) return
      const read = await readContent(tables, part)
      addTo(page, read)
      for (const row of read) if (row.bytes <= MAX_BYTES) bytes += row.bytes
    },
    isOutage: (error) => databaseOutage(error) !== undefined,
    probe: async () => void (await readContent(tables, [])),
  })
  if (outage) throw outage
  for (const { item, error } of culprits)
    page.broken.push({ event: readEvent(item).event, reason: `PostgreSQL can not read the row: ${error.message}` })
  return page
}

function addTo(page: Page, rows: readonly EventRow[]): Page {
  for (const row of rows) {
    const { event, fault } = readEvent(row)
    if (fault === undefined) page.events.push(event)
    else page.broken.push({ event, reason: fault })
    page.bytes += event.payload.length
  }
  return page
}

/** The latest time that a `Date` can hold. */
const LAST_MS = 8.64e15

function readEvent({ headers: text, payload, createdMs, bytes, ...row }: EventRow): {
  event: OutboxEvent
  fault?: string
} {
  const createdAt = new Date(createdMs === null ? Date.now() : Math.min(Number(createdMs), LAST_MS))
  const event = { ...row, headers: {}, payload: payload ?? '', createdAt }
  if (payload === null || text === null)
    return { event, fault: `payload and headers take ${bytes} bytes; the relay reads up to ${MAX_BYTES}` }
  const headers: unknown = JSON.parse(text)
  if (!isHeaders(headers)) return { event, fault: 'headers must be an object whose values are strings' }
  return { event: { ...event, headers } }
}

function isHeaders(headers: unknown): headers is Record<string, string> {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) return false
  return Object.values(headers).every((value) => typeof value === 'string')
}
