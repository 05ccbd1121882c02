/** Sizes and kinds of faults, as the model's `-D` defines; `true` is a define without a value. */
export type Defines = Readonly<Record<string, number | true>>

export interface Configuration {
  name: string
  /** What it covers that the others do not. */
  about: string
  /** Also checks that every pending event leaves, which costs about ten times as much. */
  liveness: boolean
  defines: Defines
}

const ONE_KEY = { EVENTS: 2, KEY0: 3, KEY1: 0 } as const
const ONE_EVENT = { EVENTS: 1, KEY0: 1, KEY1: 0 } as const
const TWO_LANES = { EVENTS: 2, KEY0: 1, KEY1: 2, LANES: 2, LANE0: 1, LANE1: 2 } as const
/** Event 2 is written after the promotion that loses event 1, and gets its id. */
const REUSED_ID = { PROMOTION: true, EVENTS: 2, KEY0: 1, KEY1: 2, WRITTEN: 0, AFTER_PROMOTION: 2, SAME_ID: 3 } as const
/** The same with an event 1 of the lost event's key that was written before. */
const LATER_REUSED_ID = {
  ...REUSED_ID,
  EVENTS: 3,
  KEY0: 3,
  KEY1: 4,
  WRITTEN: 1,
  AFTER_PROMOTION: 4,
  SAME_ID: 6,
} as const

export const configurations: readonly Configuration[] = [
  {
    name: 'faults',
    about: 'two relays; crashes, freezes, refusals, lost answers of the database and of the broker',
    liveness: false,
    defines: { ...ONE_KEY, FAULTS: 2, CRASHES: true, FREEZES: true, REFUSALS: true, DATABASE_ANSWERS_LOST: true },
  },
  {
    name: 'three-relays',
    about: 'three relays; crashes, freezes, shutdowns',
    liveness: false,
    defines: { ...ONE_KEY, RELAYS: 3, FAULTS: 1, CRASHES: true, FREEZES: true, STOPS: true },
  },
  {
    name: 'hand-over',
    about: 'two lanes, so that lanes are handed over; crashes, freezes, shutdowns',
    liveness: false,
    defines: { ...TWO_LANES, FAULTS: 1, CRASHES: true, FREEZES: true, STOPS: true },
  },
  {
    name: 'late-commits',
    about: 'three transactions on two keys that take ids early, commit late or roll back; crashes, refusals',
    liveness: false,
    defines: { EVENTS: 3, KEY0: 5, KEY1: 2, WRITTEN: 0, FAULTS: 1, CRASHES: true, REFUSALS: true },
  },
  {
    name: 'clock-back',
    about: 'the clock of the database steps back, by an hour or a little; crashes, freezes',
    liveness: false,
    defines: { ...ONE_KEY, FAULTS: 2, CRASHES: true, FREEZES: true, CLOCK_BACK: true },
  },
  {
    name: 'clock-forward',
    about: 'the clock of the database steps forward and back',
    liveness: false,
    defines: { ...ONE_KEY, FAULTS: 1, CLOCK_FORWARD: true, CLOCK_BACK: true },
  },
  {
    name: 'operator',
    about: 'refusals until an event is dead, redrive, lost answers',
    liveness: false,
    defines: { ...ONE_KEY, FAULTS: 3, REFUSALS: true, REDRIVES: true, DATABASE_ANSWERS_LOST: true },
  },
  {
    name: 'resend',
    about: 'the consumer lost an event, and an operator resends it; freezes, lost answers',
    liveness: false,
    defines: { ...ONE_EVENT, FAULTS: 3, RESENDS: true, FREEZES: true, DATABASE_ANSWERS_LOST: true },
  },
  {
    name: 'promotion',
    about: 'a lagging standby is promoted and reuses an id; crashes, freezes',
    liveness: false,
    defines: {
      ...LATER_REUSED_ID,
      FAULTS: 2,
      CRASHES: true,
      FREEZES: true,
      ALLOW_TWO_SENDERS: true,
    },
  },
  {
    name: 'two-senders',
    about: 'what may give a lane two senders: jumps of the clock before a start, suspended machines; crashes, refusals',
    liveness: false,
    defines: {
      ...ONE_KEY,
      FAULTS: 2,
      CRASHES: true,
      FREEZES: true,
      REFUSALS: true,
      CLOCK_FORWARD: true,
      JUMP_BEFORE_START: true,
      MONOTONIC_CLOCK_STOPS: true,
      ALLOW_TWO_SENDERS: true,
    },
  },
  {
    name: 'standard-queue',
    about: 'a queue that reorders, a consumer that crashes between storing and deleting; crashes',
    liveness: false,
    defines: { EVENTS: 3, KEY0: 5, KEY1: 2, STANDARD_QUEUE: true, FAULTS: 1, CRASHES: true },
  },
  {
    name: 'fine-steps',
    about: 'the statements of a balance interleaved one by one with those of the other relay; crashes, freezes',
    liveness: false,
    defines: { ...ONE_KEY, FINE_STEPS: true, FAULTS: 1, CRASHES: true, FREEZES: true },
  },
  {
    name: 'leaves',
    about: 'every pending event leaves: crashes, freezes, refusals, shutdowns, lost answers, the clock set back',
    liveness: true,
    defines: {
      ...ONE_EVENT,
      FAULTS: 2,
      CRASHES: true,
      FREEZES: true,
      REFUSALS: true,
      STOPS: true,
      DATABASE_ANSWERS_LOST: true,
      CLOCK_BACK: true,
    },
  },
  {
    name: 'leaves-late',
    about: 'every pending event leaves: late commits on two keys, two lanes that are handed over, crashes',
    liveness: true,
    defines: { ...TWO_LANES, WRITTEN: 0, FAULTS: 1, CRASHES: true },
  },
]

/** For `npm test`: small enough for seconds, and with all of the relay's steps. */
export const smallConfiguration: Configuration = {
  name: 'small',
  about: 'two relays; a crash, a freeze or a refusal',
  liveness: true,
  defines: { ...ONE_EVENT, FAULTS: 1, CRASHES: true, FREEZES: true, REFUSALS: true },
}

export const base = { ONE_KEY, ONE_EVENT, TWO_LANES, REUSED_ID } as const
