import type { Program } from '@product-events/terminal'

export const NOT_FOUND = 3

export const program = {
  name: 'find',
  version: '1.0.0',
  summary: 'where an event is, why, what happens next, and what an operator can do',
  words: { name: 'id', min: 1, max: 1 },
  more: `<id> is the id of an event, a product, a notification or an SQS message, a trace id, or the number of a row of the
outbox. Event, product and notification ids cost the same however many events there are. A trace id, and an event id
of another origin (no UUIDv7), is looked for among the events of the last hour; --since looks further.
For a request id take the trace_id of its log line.`,
  options: {
    since: { value: 'time', default: '1h', help: 'how far back such a scan goes: 30m, 6h, 2d' },
    watch: { help: 'look again every second until the event has arrived' },
    json: { help: 'for machines: one JSON document; with --watch one a line' },
  },
  exits: { [NOT_FOUND]: 'not found' },
} as const satisfies Program
