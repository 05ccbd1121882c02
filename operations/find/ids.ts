/** What a person may have in hand. */
export type Wanted =
  | { kind: 'uuid'; id: string; at: Date | null }
  | { kind: 'trace'; id: string }
  | { kind: 'row'; id: string }
  | { kind: 'no-id'; expected: string }

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/
const TRACE = /^(?:00-)?([0-9a-f]{32})(?:-[0-9a-f]{16}-[0-9a-f]{2})?$/
const ROW = /^[0-9]{1,18}$/
const EXPECTED =
  'the id of an event, a product, a notification or an SQS message (a UUID), a trace id or traceparent (32 hexadecimal ' +
  "digits), or the number of an event's row. For a request id: its log line has the trace_id"

export function readId(text: string): Wanted {
  const id = text.trim().toLowerCase()
  const version = UUID.exec(id)?.[1]
  if (version !== undefined) return { kind: 'uuid', id, at: version === '7' ? timeOf(id) : null }
  const trace = TRACE.exec(id)?.[1]
  if (trace !== undefined) return { kind: 'trace', id: trace }
  return ROW.test(id) ? { kind: 'row', id: String(BigInt(id)) } : { kind: 'no-id', expected: EXPECTED }
}

/** When a UUIDv7 was made: its first 48 bits are milliseconds since 1970. */
export function timeOf(uuidv7: string): Date {
  return new Date(parseInt(uuidv7.replace('-', '').slice(0, 12), 16))
}
