import { type TSchema, Type } from 'typebox'

/** RFC 3339 in UTC with milliseconds, as `Date.prototype.toISOString` writes it. */
export const Timestamp = Type.String({ format: 'date-time' })
export const Uuid = Type.String({ format: 'uuid' })

/** No event of ours is close to these, and the database has room and index entries for all of them. In code points. */
export const MOST_CHARACTERS = { type: 255, source: 1_024, time: 64 } as const

/** The one source of every event of products. */
export const SOURCE = '/product-service'

/**
 * The CloudEvents 1.0 envelope (structured JSON mode) around the data of one event type.
 *
 * `sequence` (CloudEvents "sequence" extension) is the product's version in decimal digits: a consumer that keeps
 * state must ignore an event whose sequence is not above the last one it applied for the same subject.
 */
export function envelope<Type extends string, Data extends TSchema>(type: Type, data: Data) {
  return Type.Object({
    specversion: Type.Literal('1.0'),
    id: Uuid,
    source: Type.Literal(SOURCE),
    type: Type.Literal(type),
    subject: Uuid,
    time: Timestamp,
    datacontenttype: Type.Literal('application/json'),
    sequence: Type.String({ pattern: '^[1-9][0-9]{0,18}$' }),
    data,
  })
}
