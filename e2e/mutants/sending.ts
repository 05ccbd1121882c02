import type { Mutant } from './mutant.ts'

const outbox = (file: string) => `packages/outbox/${file}.ts`
const tests = (...names: string[]) => names.map((name) => `packages/outbox/${name}`)
const ofRelays = tests('relay.integration', 'relays.integration', 'drain.integration')
const ofSends = tests('sqs.integration', 'sqs-model', 'one-bad-send')

/** The relay: sending, settling, retention, and whose failure it is. */
export const sendingMutants: readonly Mutant[] = [
  {
    what: 'a whole call refused because of one message is taken for an outage',
    file: outbox('aws-batches'),
    find: 'if (!NEVER_ACCEPTABLE.test(failure.name)) {',
    replace: 'if (true) {',
    tests: ofSends,
  },
  {
    what: 'the entries in Failed are ignored',
    file: outbox('aws-batches'),
    find: 'for (const failed of Failed) settleFailed(failed, result)',
    replace: '',
    tests: ofSends,
  },
  {
    what: 'throttling of an entry counts as its refusal',
    file: outbox('aws-batches'),
    find: 'if (THROTTLED.test(Code)) result.outage = reason\n  else if',
    replace: 'if',
    tests: ofSends,
  },
  {
    what: 'an internal error of SQS uses up an attempt',
    file: outbox('aws-batches'),
    find: `else if (SenderFault !== true) result.outcomes.set(Id, { kind: 'not-taken', reason })`,
    replace: `else if (SenderFault !== true) result.outcomes.set(Id, { kind: 'refused', reason })`,
    tests: ofSends,
  },
  {
    what: 'expired credentials are kept',
    file: outbox('aws-batches'),
    find: 'if (CREDENTIALS.test(failure.name)) void refreshCredentials().catch(() => {})',
    replace: '',
    tests: ofSends,
  },
  {
    what: 'an event that is too large is sent',
    file: outbox('aws-batches'),
    find: 'if (entry.bytes <= MAX_BYTES) entries.push(entry)',
    replace: 'if (entry.bytes <= 2 * MAX_BYTES) entries.push(entry)',
    tests: ofSends,
  },
  {
    what: 'an event without a verdict counts as accepted',
    file: outbox('sending'),
    find: 'if (outcome === undefined) hold.putBack(event)',
    replace: 'if (outcome === undefined) accepted.push(event)',
    tests: ofRelays,
  },
  {
    what: 'after an outage everything is sent at once again',
    file: outbox('sending'),
    find: 'window = result.outage === undefined ? Math.min(calls.limit(), window * 2) : 1',
    replace: 'window = calls.limit()',
    tests: tests('sending.test'),
  },
  {
    what: 'an event that the broker fails at is refused at once',
    file: outbox('sending'),
    find: 'performance.now() - since >= ITS_OWN_FAULT_AFTER_MS',
    replace: 'performance.now() - since >= 0',
    tests: tests('one-bad-send', 'outage.integration'),
  },
  {
    what: 'more is not read after a settled rejection',
    file: outbox('reading'),
    find: `if (due.delete(event) || as === 'rejected') more = true`,
    replace: 'if (due.delete(event)) more = true',
    tests: ofRelays,
  },
  {
    what: 'broken events stay where they are',
    file: outbox('reading'),
    find: `onBroken(broken.map(({ event, reason }) => rejection(event, { kind: 'unacceptable', reason })))`,
    replace: '',
    tests: tests('one-bad-event'),
  },
  {
    what: 'a settlement that the database refuses stops all others',
    file: outbox('settling'),
    find: 'const { done, culprits, outage } = await isolate(batch, work(tables, settleRejected))',
    replace: `await settleRejected(tables, batch)
    const { done, culprits, outage } = { done: batch, culprits: [] as { item: Rejection; error: Error }[], outage: undefined }`,
    tests: tests('one-bad-event', 'settle.integration'),
  },
  {
    what: 'the outbox of another application is taken over',
    file: outbox('owner'),
    find: 'if (known !== owner)',
    replace: 'if (false)',
    tests: tests('owner.integration'),
  },
  {
    what: 'retention deletes events that are not processed',
    file: outbox('prune'),
    find: `status = 'processed' AND processed_at < cutoff`,
    replace: 'true',
    tests: tests('pruning.integration', 'relay.integration', 'cli'),
  },
]
