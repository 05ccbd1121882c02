import { base, type Defines } from './configurations.ts'
import type { Promise } from './words.ts'

const { ONE_KEY, ONE_EVENT, TWO_LANES, REUSED_ID } = base
const TWO_KEYS = { EVENTS: 2, KEY0: 1, KEY1: 2 } as const

/** The model with one rule removed. The check must find that it breaks `breaks`. */
export interface Variant {
  /** The define that removes the rule. */
  name: string
  /** What the relay does instead of following the rule. */
  about: string
  breaks: Promise
  /** The smallest configuration that shows it. */
  defines: Defines
}

const rulesRemoved: readonly Variant[] = [
  {
    name: 'NO_LEASE_CHECK',
    about: 'a relay does not look at its lease before a send',
    breaks: 'one sender',
    defines: { ...ONE_KEY, FAULTS: 1, FREEZES: true },
  },
  {
    name: 'SEND_MAY_OUTLIVE_LEASE',
    about: 'a send starts with less of the lease left than it may take',
    breaks: 'one sender',
    defines: { ...ONE_KEY, FAULTS: 2, FREEZES: true },
  },
  {
    name: 'DEADLINE_FROM_ANSWER',
    about: "the relay's deadline counts from the answer to the renewal, not from the question",
    breaks: 'one sender',
    defines: { ...ONE_KEY, FAULTS: 1, FREEZES: true },
  },
  {
    name: 'HAND_OVER_BEFORE_DRAINED',
    about: 'a lane is handed over while the relay still holds events of it',
    breaks: 'one sender',
    defines: { ...TWO_LANES, FAULTS: 0 },
  },
  {
    name: 'RELEASE_BEFORE_SENDS_ENDED',
    about: 'a relay that stops gives up its lanes while sends are under way',
    breaks: 'one sender',
    defines: { ...ONE_KEY, FAULTS: 1, STOPS: true },
  },
  {
    name: 'FUTURE_LEASE_TAKEN_AT_ONCE',
    about: 'a lease that ends too late counts as dead at once',
    breaks: 'one sender',
    defines: { ...ONE_KEY, FAULTS: 1, CLOCK_BACK: true },
  },
  {
    name: 'FORWARD_JUMP_BELIEVED',
    about: 'after a jump of the clock ahead, leases that look expired are deleted at once',
    breaks: 'one sender',
    defines: { ...ONE_KEY, FAULTS: 1, CLOCK_FORWARD: true },
  },
  {
    name: 'FUTURE_LEASE_BELIEVED',
    about: 'a lease in the future is believed for as long as it says',
    breaks: 'every pending event leaves',
    defines: { ...ONE_EVENT, FAULTS: 2, CRASHES: true, CLOCK_BACK: true },
  },
  {
    name: 'DUE_TIME_BELIEVED',
    about: 'the due time of a failed event is believed for as long as it says',
    breaks: 'every pending event leaves',
    defines: { ...ONE_EVENT, FAULTS: 2, REFUSALS: true, CLOCK_BACK: true },
  },
  {
    name: 'CLAIM_AFTER_LAST_ID',
    about: 'claims go by "id greater than the last one"',
    breaks: 'every pending event leaves',
    defines: { ...TWO_KEYS, WRITTEN: 0, FAULTS: 0 },
  },
  {
    name: 'CLAIM_WITH_GAPS',
    about: 'a claim brings an event of a key and leaves an older one that waits',
    breaks: 'order',
    defines: { ...ONE_KEY, FAULTS: 0 },
  },
  {
    name: 'CLAIM_BESIDE_REJECTION',
    about: 'a claim runs beside a rejection that is not settled yet',
    breaks: 'order',
    defines: { ...ONE_KEY, WRITTEN: 1, FAULTS: 1, REFUSALS: true },
  },
  {
    name: 'FAILED_BLOCKS_NO_KEY',
    about: 'a failed event does not block its key',
    breaks: 'order',
    defines: { ...ONE_KEY, FAULTS: 1, REFUSALS: true },
  },
  {
    name: 'TWO_OF_A_KEY_IN_FLIGHT',
    about: 'two events of a key are in flight at once',
    breaks: 'order',
    defines: { ...ONE_KEY, FAULTS: 0 },
  },
  {
    name: 'KEY_WITHOUT_LOCK',
    about: "a writer appends without a lock of the key's row",
    breaks: 'order',
    defines: { ...ONE_KEY, WRITTEN: 0, FAULTS: 0 },
  },
  {
    name: 'SETTLE_BY_ID',
    about: 'an event is settled by its id alone',
    breaks: 'settled was accepted',
    defines: { ...REUSED_ID, FAULTS: 1, ALLOW_TWO_SENDERS: true },
  },
  {
    name: 'VERDICT_BY_ID',
    about: "the broker's verdicts are told apart by id alone",
    breaks: 'settled was accepted',
    defines: { ...REUSED_ID, FAULTS: 1, ALLOW_TWO_SENDERS: true },
  },
  {
    name: 'SETTLE_UP_TO_LAST_ID',
    about: 'everything up to the last accepted id is settled',
    breaks: 'settled was accepted',
    defines: { ...TWO_KEYS, WRITTEN: 0, FAULTS: 0 },
  },
  {
    name: 'SETTLE_BEFORE_SEND',
    about: 'an event is marked as processed before it is sent',
    breaks: 'settled was accepted',
    defines: { ...ONE_KEY, FAULTS: 0 },
  },
  {
    name: 'FAILED_ENTRIES_IGNORED',
    about: 'entries that the broker lists as failed count as accepted',
    breaks: 'settled was accepted',
    defines: { ...ONE_KEY, FAULTS: 1, REFUSALS: true },
  },
  {
    name: 'OLD_ANSWER_SETTLES_RESEND',
    about: 'an answer from before a resend settles the resent event',
    breaks: 'settled was accepted',
    defines: { ...ONE_EVENT, FAULTS: 2, RESENDS: true, DATABASE_ANSWERS_LOST: true },
  },
  {
    name: 'REJECTION_UNDOES_SETTLEMENT',
    about: 'a rejection is written whatever became of the event since',
    breaks: 'settled was accepted',
    defines: { ...ONE_EVENT, FAULTS: 2, REFUSALS: true, FREEZES: true },
  },
  {
    name: 'REJECTION_UNDOES_REDRIVE',
    about: 'a rejection from before a redrive is written after it',
    breaks: 'an attempt is a refusal',
    defines: { ...ONE_EVENT, FAULTS: 3, REFUSALS: true, REDRIVES: true, DATABASE_ANSWERS_LOST: true },
  },
  {
    name: 'OUTAGE_COUNTS_AS_ATTEMPT',
    about: 'a call without a verdict uses up an attempt',
    breaks: 'an attempt is a refusal',
    defines: { ...ONE_EVENT, FAULTS: 2 },
  },
  {
    name: 'PUBLISH_BEFORE_COMMIT',
    about: 'an event is published before its transaction commits',
    breaks: 'nothing invented',
    defines: { ...ONE_EVENT, WRITTEN: 0, FAULTS: 0 },
  },
  {
    name: 'NO_DUPLICATE_CHECK',
    about: 'the consumer stores an event that it knows',
    breaks: 'notified once',
    defines: { ...ONE_EVENT, FAULTS: 1 },
  },
  {
    name: 'DELETE_BEFORE_STORE',
    about: 'the consumer deletes a message before it has stored the event',
    breaks: 'nothing lost',
    defines: { ...ONE_EVENT, FAULTS: 1, STANDARD_QUEUE: true },
  },
  {
    name: 'SEQUENCE_IGNORED',
    about: 'a consumer that keeps state does not look at `sequence`',
    breaks: 'state never goes back',
    defines: { ...ONE_KEY, FAULTS: 0, STANDARD_QUEUE: true },
  },
]

/** Promises that do not hold: the check must find that too, so that the documents stay true. */
const promisesLimited: readonly Variant[] = [
  {
    name: 'PROMOTION',
    about: 'a promotion sets the tables of lanes and leases back, too',
    breaks: 'one sender',
    defines: { ...REUSED_ID, FAULTS: 1 },
  },
  {
    name: 'JUMP_BEFORE_START',
    about: 'the clock jumps ahead, and a relay starts that never saw it before the jump',
    breaks: 'one sender',
    defines: { ...ONE_KEY, FAULTS: 1, CLOCK_FORWARD: true },
  },
  {
    name: 'SMALL_JUMP_WHILE_SILENT',
    about: 'the clock steps forward by less than the five seconds that count as a jump while a relay does not renew',
    breaks: 'one sender',
    defines: { ...ONE_KEY, FAULTS: 2, FREEZES: true, CLOCK_FORWARD: true },
  },
  {
    name: 'MONOTONIC_CLOCK_STOPS',
    about: "a machine is suspended, and the relay's monotonic clock with it",
    breaks: 'one sender',
    defines: { ...ONE_KEY, FAULTS: 1, FREEZES: true },
  },
]

const named = (variant: Variant): Variant => ({ ...variant, defines: { ...variant.defines, [variant.name]: true } })
export const variants = rulesRemoved.map(named)
export const limits = promisesLimited.map(named)
