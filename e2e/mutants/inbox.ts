import type { Mutant } from './mutant.ts'

const inbox = (file: string) => `packages/inbox/${file}.ts`
const service = ['services/notification-service/consumer.integration', 'services/notification-service/store-events']
const failures = ['services/notification-service/whose-failure', 'services/notification-service/outage.integration']
const library = ['packages/inbox/']

/** The consumer: deletion, holding, isolation and memory. */
export const inboxMutants: readonly Mutant[] = [
  {
    what: 'messages are deleted before their effect is stored',
    file: inbox('handle-batch'),
    find: '  // Those that are done need not wait for those that are held.\n',
    replace: '  await deleteHandled(receiving, [...messages])\n',
    tests: failures,
  },
  {
    what: 'entries that SQS did not delete are forgotten',
    file: inbox('messages'),
    find: 'if (done.has(id)) return []',
    replace: 'return []',
    tests: [...library, ...service],
  },
  {
    what: 'an entry that SQS mentions nowhere counts as done',
    file: inbox('messages'),
    find: 'const done = new Set(successful.map((entry) => entry.Id))',
    replace:
      'const done = new Set(messages.map((_, index) => String(index)).filter((id) => !failed.some((entry) => entry.Id === id)))',
    tests: [...library, ...service],
  },
  {
    what: 'message attributes are not asked for',
    file: inbox('messages'),
    find: `MessageAttributeNames: ['All'],`,
    replace: '',
    tests: [...library, ...service, 'e2e/tracing'],
  },
  {
    what: 'messages in work are not kept hidden',
    file: inbox('keep-hidden'),
    find: 'const lost = (await queue.hide(held, seconds)).filter((entry) => !entry.retry)',
    replace: 'const lost: FailedEntry[] = []',
    tests: [...library, ...failures],
  },
  {
    what: 'everything failing alike is the fault of each event',
    file: inbox('isolate-kind'),
    find: 'if (proven || evidence.isAgainst(kind, item)) {',
    replace: 'if (item) {',
    tests: [...library, ...failures],
  },
  {
    what: 'a lone culprit is held for ever',
    file: inbox('isolate-kind'),
    find: 'if (proven || evidence.isAgainst(kind, item)) {',
    replace: 'if (item === undefined) {',
    tests: [...library, ...failures],
  },
  {
    what: 'an event that was found at fault is trusted again',
    file: inbox('evidence'),
    find: 'atFault.has(entry.event.id) || ',
    replace: '',
    tests: [...library, ...failures],
  },
  {
    what: 'a lost answer of the database refuses the events',
    file: inbox('group-commit'),
    find: 'return databaseOutage(cause) !== undefined || isOutage?.(cause) === true',
    replace: 'return isOutage?.(cause) === true',
    tests: [...failures, 'packages/inbox/group-commit'],
  },
  {
    what: 'a batch is bounded in events only',
    file: 'packages/batcher/batcher.ts',
    find: 'if (!bytes) return maxItems',
    replace: 'if (bytes === undefined || bytes !== undefined) return maxItems',
    tests: ['packages/batcher', 'packages/inbox/'],
  },
  {
    what: 'another constraint counts as a duplicate',
    file: inbox('record'),
    find: 'ON CONFLICT (consumer, event_id) DO NOTHING',
    replace: 'ON CONFLICT DO NOTHING',
    tests: library,
  },
  {
    what: 'a duplicate with other content is not noticed',
    file: inbox('record'),
    find: `differs: content !== undefined && content !== entry.content }`,
    replace: 'differs: false }',
    tests: [...library, ...service],
  },
  {
    what: 'an older sequence overwrites a newer one',
    file: inbox('record'),
    find: 'AND last.key = event.key AND last.sequence < event.sequence',
    replace: 'AND last.key = event.key',
    tests: library,
  },
  {
    what: 'events of one product are stored in the order of receipt',
    file: inbox('isolate-kind'),
    find: 'const inOrder = inSequence(part, ({ event }) => event)',
    replace: 'const inOrder = part',
    tests: [...library, ...service],
  },
  {
    what: 'a type may be of any length',
    file: inbox('parse-messages'),
    find: 'if (value.length > MOST_CHARACTERS)',
    replace: 'if (value.length > 1e9)',
    tests: [...library, ...failures, ...service],
  },
]
