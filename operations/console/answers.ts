/** The answers of the console's API: the page imports their types, the server validates and describes with them. */
import { type Static, type TSchema, Type } from 'typebox'

const orNull = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()])
const Time = Type.String({ format: 'date-time' })
const Level = Type.Enum(['good', 'busy', 'wrong', 'unknown'])
export type Level = Static<typeof Level>

/** A sentence, what stands behind it, and what an operator can do. */
export const Verdict = Type.Object({
  level: Level,
  headline: Type.String(),
  detail: Type.String(),
  actions: Type.Array(Type.String()),
})
export type Verdict = Static<typeof Verdict>

export const Station = Type.Object({
  number: Type.Integer(),
  name: Type.String(),
  about: Type.String(),
  health: Type.Enum(['ok', 'wrong', 'unknown']),
  rate: orNull(Type.Number()),
  /** Items that stand here, and would not stand here if all were well. */
  heap: Type.Integer(),
  figures: Type.Array(
    Type.Object({ label: Type.String(), value: Type.String(), alarm: Type.Optional(Type.Boolean()) }),
  ),
})
export type Station = Static<typeof Station>

/** One event: how far it is (of seven steps), and in words where. */
export const Traveller = Type.Object({
  id: Type.String({ description: 'In the outbox' }),
  event_id: Type.String(),
  type: Type.String(),
  product_id: Type.String(),
  product_name: orNull(Type.String()),
  sequence: orNull(Type.String()),
  written_at: Time,
  step: Type.Integer({ minimum: 2, maximum: 7 }),
  state: Type.Enum(['waiting', 'arrived', 'dead']),
  where: Type.String(),
  /** Until it arrived, or until now. */
  age_ms: Type.Number(),
})
export type Traveller = Static<typeof Traveller>

export const OutboxView = Type.Object({
  service: Type.String(),
  /** By lane: the place of its relay in `relays`, or null. */
  lanes: Type.Array(orNull(Type.Integer())),
  relays: Type.Array(Type.Object({ name: Type.String(), lanes: Type.Integer(), lease_seconds: Type.Number() })),
  unknown: orNull(Type.String()),
})
export type OutboxView = Static<typeof OutboxView>

export const Snapshot = Type.Object({
  at: Time,
  verdict: Verdict,
  stations: Type.Array(Station),
  totals: Type.Record(Type.String(), orNull(Type.Number())),
  processes: Type.Array(
    Type.Object({ service: Type.String(), url: Type.String(), health: Type.String(), detail: Type.String() }),
  ),
  travelling: Type.Array(Traveller),
  history: Type.Object({
    seconds: Type.Integer({ description: 'Between two points' }),
    written: Type.Array(orNull(Type.Number())),
    notified: Type.Array(orNull(Type.Number())),
  }),
  needs_you: orNull(Type.Integer()),
  outboxes: Type.Array(OutboxView),
})
export type Snapshot = Static<typeof Snapshot>

export const Step = Type.Object({
  name: Type.String(),
  state: Type.Enum(['done', 'now', 'wrong', 'then']),
  text: Type.String(),
  at: orNull(Time),
  /** Since the event was written. */
  after_ms: orNull(Type.Number()),
})
export type Step = Static<typeof Step>

export const Found = Type.Object({
  kind: Type.Enum(['event', 'message', 'nothing']),
  verdict: Verdict,
  looked: Type.String({ description: 'How far the search went' }),
  steps: Type.Array(Step),
  event: orNull(Traveller),
  siblings: Type.Array(Traveller),
  documents: Type.Array(Type.Object({ name: Type.String(), json: Type.Unknown() })),
  links: Type.Array(Type.Object({ name: Type.String(), url: Type.String() })),
})
export type Found = Static<typeof Found>

export const Source = Type.Enum(['events', 'deliveries', 'messages', 'failing'])
export type Source = Static<typeof Source>

export const Group = Type.Object({
  source: Source,
  /** Names the group in a redrive. */
  key: Type.String(),
  reason: Type.String(),
  advice: Type.String(),
  count: Type.Integer(),
  products: Type.Integer(),
  attempts: Type.Integer(),
  first_at: orNull(Time),
  last_at: orNull(Time),
  can_redrive: Type.Boolean(),
  /** The first of them. */
  items: Type.Array(
    Type.Object({
      id: Type.String(),
      type: Type.String(),
      about: Type.String(),
      at: orNull(Time),
      find: Type.String(),
    }),
  ),
})
export type Group = Static<typeof Group>

export const Needs = Type.Object({
  at: Time,
  groups: Type.Array(Group),
  /** Sources that could not be read, and why. */
  unknown: Type.Array(Type.Object({ source: Source, reason: Type.String() })),
})
export type Needs = Static<typeof Needs>

export const DryRun = Type.Object({
  count: Type.Integer(),
  in_order: Type.Integer(),
  notes: Type.Array(Type.String()),
})
export type DryRun = Static<typeof DryRun>

export const Action = Type.Object({
  id: Type.String(),
  at: Time,
  who: Type.String(),
  what: Type.String(),
  why: Type.String(),
  count: Type.Integer(),
  state: Type.Enum(['running', 'finished', 'stopped']),
  /** Such as "12 published, 11 notified, 1 dead again". */
  outcome: Type.String(),
  level: Level,
})
export type Action = Static<typeof Action>

export const Me = Type.Object({
  subject: Type.String(),
  scopes: Type.Array(Type.String()),
  try_it: Type.Boolean(),
})
export type Me = Static<typeof Me>

export const Trial = Type.Object({
  traffic: Type.Number({ description: 'Changes of products a second' }),
  faults: Type.Array(
    Type.Object({
      name: Type.String(),
      title: Type.String(),
      text: Type.String(),
      /** Seconds until it ends; null while it is not played. */
      seconds_left: orNull(Type.Number()),
    }),
  ),
  log: Type.Array(Type.Object({ at: Time, text: Type.String() })),
})
export type Trial = Static<typeof Trial>
