import type { Program } from '@product-events/terminal'

/** Everything that can be typed. Arguments are checked against it, and the help is made of it. */
export const program = {
  name: 'outbox',
  version: '1.0.0',
  summary: 'pending, failed and dead events, and how to publish them again',
  options: { json: { help: 'for machines: one JSON document instead of tables' } },
  commands: {
    status: {
      summary: 'events by status, relays that are alive, lanes and their owners',
      options: {},
    },
    list: {
      summary: 'events of one status, oldest first',
      options: {
        status: {
          value: 'status',
          oneOf: ['dead', 'failed', 'pending', 'processed'],
          default: 'dead',
          help: 'of this status',
        },
        key: { value: 'key', help: 'only events of this key' },
        type: { value: 'type', help: 'only events of this type' },
        limit: { value: 'n', whole: [1, 1_000], default: 20, help: 'at most this many' },
        after: { value: 'id', default: '0', help: 'the page after this id' },
      },
    },
    show: {
      summary: 'everything about one event, the first 4,000 characters of its content included',
      more: 'An id is the number that list shows, or the UUID that consumers know. A UUID is found by reading the table.',
      words: { name: 'id', min: 1, max: 1 },
      options: { whole: { help: 'the content to its end, however long' } },
    },
    redrive: {
      usage: '<id>... | --all',
      summary: 'dead events become pending again, with all their attempts before them',
      more: `A redriven event keeps its place before younger events of its key that are not published yet. If younger ones
are published already, the command says how many. Nothing is redriven if one of the ids is wrong, or if the broker
can never accept an event. Relays find the events at their next poll (every 2 seconds by default).
Ctrl-C stops between two events; what was redriven until then stays so.`,
      words: { name: 'id', min: 0, max: 10_000 },
      options: {
        all: { help: 'every event that is dead now' },
        'dry-run': { help: 'say what would be done, and do nothing' },
        rate: { value: 'n', whole: [1, 10_000], help: 'events a second at most' },
        by: { value: 'name', help: 'for the record of the events (default user@host)' },
      },
    },
    resend: {
      usage: '<id>... | --id <id> | --since <time>',
      summary: 'processed events become pending again: their messages were lost after the broker took them',
      more: `After a restore of a consumer's database to 02:30, --since 2026-11-26T01:30:00Z publishes every event again that
was processed since: an event of 02:29 may have been stored after 02:30. Consumers drop the events that they know, by
the event id. Events that are deleted after their retention can't be published again.
Ctrl-C stops between two portions; the events set to pending until then stay so.`,
      words: { name: 'id', min: 0, max: 10_000 },
      options: {
        id: { value: 'id', help: 'this event; several ids need no option' },
        since: { value: 'time', help: 'every event that was processed at this time or later' },
        'dry-run': { help: 'say how many events these are, and do nothing' },
        rate: { value: 'n', whole: [1, 10_000], help: 'events a second at most' },
        by: { value: 'name', help: 'for the record of the events (default user@host)' },
      },
    },
    prune: {
      summary: 'delete processed events that are older than the retention',
      more: 'Relays do so every minute. Pending, failed and dead events stay, however old they are.',
      options: { 'older-than': { value: 'hours', whole: [0, 87_600], default: 72, help: 'hours' } },
    },
  },
} as const satisfies Program

/** The same, with an option for the service where there are several outboxes. */
export function programFor<const Service extends string>(services: readonly [Service, ...Service[]]) {
  const service = { value: 'name', oneOf: services, default: services[0], help: 'whose outbox' } as const
  return { ...program, options: { ...program.options, service } }
}
