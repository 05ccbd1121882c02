import { type Static, Type } from 'typebox'

const Uuid = Type.String({ format: 'uuid' })
const Timestamp = Type.String({ format: 'date-time' })

/** A notification as the API shows it. */
export const Notification = Type.Object({
  id: Uuid,
  event_id: Uuid,
  event_type: Type.String(),
  product_id: Uuid,
  title: Type.String(),
  message: Type.String(),
  sequence: Type.String({
    description:
      'Decimal digits. Notifications of one product may arrive in another order than their changes happened in; ' +
      'by sequence they are in that order.',
  }),
  occurred_at: Timestamp,
  received_at: Timestamp,
})
export type Notification = Static<typeof Notification>

export const NotificationPage = Type.Object({
  notifications: Type.Array(Notification),
  next_page_token: Type.Union([Type.String(), Type.Null()]),
})

export const PageQuery = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
    token: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
)
