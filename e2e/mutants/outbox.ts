import type { Mutant } from './mutant.ts'

const outbox = (file: string) => `packages/outbox/${file}.ts`
const tests = (...names: string[]) => names.map((name) => `packages/outbox/${name}`)
const ofRelays = tests('relay.integration', 'relays.integration', 'drain.integration')

/** The relay: claims, order, settlement, leases. */
export const outboxMutants: readonly Mutant[] = [
  {
    what: 'a claim goes by id above the last held one instead of by status',
    file: outbox('claim'),
    find: `WHERE pending.status = 'pending' AND pending.lane = owned.lane`,
    replace: `WHERE pending.status = 'pending' AND pending.lane = owned.lane
           AND pending.id > coalesce((SELECT max(id) FROM \${schema}.events AS done WHERE done.status = 'processed'), 0)`,
    tests: ofRelays,
  },
  {
    what: 'a failed event does not block its key',
    file: outbox('claim'),
    find: `AND NOT EXISTS (SELECT FROM \${schema}.events AS failed WHERE failed.status = 'failed' AND failed.key = pending.key)`,
    replace: '',
    tests: ofRelays,
  },
  {
    what: 'a full key is read further',
    file: outbox('claim'),
    find: `AND pending.key <> ALL (owned."full")`,
    replace: '',
    tests: tests('hot-key.integration'),
  },
  {
    what: 'of two failed events of a key the younger may be tried first',
    file: outbox('claim'),
    find: `WHERE earlier.status = 'failed' AND earlier.key = failed.key AND earlier.id < failed.id)`,
    replace: `WHERE earlier.status = 'failed' AND earlier.key = failed.key AND false)`,
    tests: tests('settle.integration', 'relays.integration'),
  },
  {
    what: 'headers that are no object reach the broker code',
    file: outbox('read-page'),
    find: `return Object.values(headers).every((value) => typeof value === 'string')`,
    replace: 'return true',
    tests: tests('one-bad-event'),
  },
  {
    what: 'due times after the clock are not mended',
    file: outbox('claim'),
    find: `(failed_at > clock_timestamp() OR next_attempt_at IS NULL)`,
    replace: `next_attempt_at IS NULL`,
    tests: tests('clock.integration'),
  },
  {
    what: 'a row that can not be read stops the claim',
    file: outbox('read-page'),
    find: 'if (databaseOutage(error) !== undefined) throw error',
    replace: 'throw error',
    tests: tests('one-bad-event'),
  },
  {
    what: 'events that are read apart come as PostgreSQL finds them',
    file: outbox('claim'),
    find: 'WITH ORDINALITY AS wanted (id, "eventId", place)',
    replace: 'WITH ORDINALITY AS wanted (id, "eventId", given) CROSS JOIN (SELECT 0 AS place) AS unordered',
    tests: tests('read-page.integration'),
  },
  {
    what: 'of events that are read in halves those behind the ones without room are taken',
    file: outbox('read-page'),
    find: 'if (bytes >= MAX_BYTES) return',
    replace: '',
    tests: tests('read-page.integration'),
  },
  {
    what: 'after a claim that timed out all is read at once again',
    file: outbox('reading'),
    find: 'apart ? readApart : readPage',
    replace: 'readPage',
    tests: tests('one-bad-event'),
  },
  {
    what: 'a relay with nothing to send never asks whether the broker is back',
    file: outbox('relay'),
    find: 'else if (broker.isAway() && !signal.aborted) await askBroker()',
    replace: '',
    tests: tests('broker-outage'),
  },
  {
    what: 'two events of a key are in flight at once',
    file: outbox('hold'),
    find: 'if (!keys.has(event.key)) ready.add(event)',
    replace: 'ready.add(event)',
    tests: tests('hold.test', 'relay.integration'),
  },
  {
    what: 'a redriven event goes behind the younger ones of its key',
    file: outbox('hold'),
    find: 'while (place > 1 && BigInt(queue.events[place - 1]!.id) > BigInt(event.id)) place--',
    replace: '',
    tests: tests('hold.test', 'relays.integration'),
  },
  {
    what: 'ids are compared as text',
    file: outbox('hold'),
    find: 'BigInt(queue.events[place - 1]!.id) > BigInt(event.id)',
    replace: 'queue.events[place - 1]!.id > event.id',
    tests: tests('hold.test', 'relays.integration'),
  },
  {
    what: 'a new event with the number of an old one counts as held',
    file: outbox('hold'),
    find: 'return `${id} ${eventId}`',
    replace: 'return eventId === "" ? eventId : id',
    tests: tests('earlier-state.integration', 'hold.test'),
  },
  {
    what: 'a rejection keeps the rest of its key in memory',
    file: outbox('hold'),
    find: `    for (const event of events) {
      ready.delete(event)
      held.delete(event)
    }
    keys.delete(event.key)`,
    replace: `    held.delete(event)
    keys.get(event.key)?.events.shift()
    ready.delete(event)`,
    tests: tests('hold.test', 'relays.integration', 'relay.integration'),
  },
  {
    what: 'an event that the lease forbids is sent all the same',
    file: outbox('hold'),
    find: 'if (!may(event)) forbidden.push(event)\n    else if',
    replace: 'if',
    tests: tests('hold.test', 'relays.integration'),
  },
  {
    what: 'settling goes by number alone',
    file: outbox('settle'),
    find: 'WHERE event.id = accepted.id AND event.event_id = accepted.event_id\n',
    replace: 'WHERE event.id = accepted.id\n',
    tests: tests('earlier-state.integration', 'settle.integration'),
  },
  {
    what: 'an old answer settles an event that was sent once more',
    file: outbox('settle'),
    find: `AND event.redriven_count = accepted.redriven AND event.status <> 'processed'`,
    replace: `AND event.status <> 'processed'`,
    tests: tests('settle.integration'),
  },
  {
    what: 'a late refusal undoes what another relay settled',
    file: outbox('settle'),
    find: 'event.attempts = rejected.attempts_before AND ',
    replace: '',
    tests: tests('settle.integration', 'relays.integration'),
  },
  {
    what: 'an event dies one attempt early',
    file: outbox('settle'),
    find: 'attempts >= maxAttempts',
    replace: 'attempts >= maxAttempts - 1',
    tests: tests('settle.test', 'relay.integration'),
  },
  {
    what: 'a postponed event loses an attempt',
    file: outbox('settle'),
    find: `if (outcome.kind === 'postponed')`,
    replace: `if (outcome.kind === 'postponed' && outcome.delayMs < 0)`,
    tests: tests('postpone.integration', 'settle.test'),
  },
  {
    what: 'a send may outlive the lease',
    file: outbox('lease'),
    find: 'maySend: (lane) => owned.has(lane) && now() + SEND_TIMEOUT_MS < deadline,',
    replace: 'maySend: (lane) => owned.has(lane) && now() < deadline,',
    tests: tests('lease.integration', 'relays.integration'),
  },
  {
    what: 'a lease counts from the answer instead of from the question',
    file: outbox('lease'),
    find: 'deadline = asked + LEASE_MS',
    replace: 'deadline = now() + LEASE_MS',
    tests: tests('lease.integration', 'relays.integration'),
  },
  {
    what: 'a lane is handed over before it is drained',
    file: outbox('lease'),
    find: 'const drained = [...leaving].filter(isDrained)',
    replace: 'const drained = [...leaving]',
    tests: tests('lease.integration', 'relays.integration'),
  },
  {
    what: 'a lane that is to be handed over is still read',
    file: outbox('lease'),
    find: '[...owned].filter((lane) => !leaving.has(lane))',
    replace: '[...owned]',
    tests: tests('lease.integration', 'relays.integration'),
  },
  {
    what: 'a lease in the future is never given up',
    file: outbox('lease'),
    find: 'for (const lease of silence.silentSince(leases)) await deleteSilentRelay(tables, lease)',
    replace: '',
    tests: tests('clock.integration', 'lease.integration'),
  },
  {
    what: 'a lease in the future is taken over at once',
    file: outbox('lease-clock'),
    find: 'return now() - since >= leaseMs',
    replace: 'return true',
    tests: tests('clock.integration', 'lease.integration'),
  },
  {
    what: 'a clock that jumped ahead ends every lease',
    file: outbox('lease'),
    find: 'expired > 0 && !clock.hasJumpedAhead(LEASE_MS)',
    replace: 'expired > 0',
    tests: tests('clock.integration', 'lease.integration'),
  },
]
