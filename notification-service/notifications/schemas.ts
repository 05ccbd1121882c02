import { type Static, Type } from 'typebox'

const Uuid = Type.String({ format: 'uuid' })
const Timestamp = Type.String({ format: 'date-time' })

export const notificationExample = {
  id: '01997c1e-7a10-7b21-9c32-0d43e5f6a7b8',
  event_id: '01997c1e-6a5b-7d4e-8f60-1a2b3c4d5e6f',
  event_type: 'product.created',
  product_id: '01997c1e-6a5b-7c3d-8e9f-0a1b2c3d4e5f',
  title: 'Product created',
  message: '"Green tea" was created, at 4.5',
  sequence: '1',
  occurred_at: '2026-01-31T12:00:00.000Z',
  received_at: '2026-01-31T12:00:00.012Z',
}

/** A notification as the API shows it. */
export const Notification = Type.Object(
  {
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
  },
  { description: 'The notification', examples: [notificationExample] },
)
export type Notification = Static<typeof Notification>

export const NotificationPage = Type.Object(
  {
    notifications: Type.Array(Notification),
    next_page_token: Type.Union([Type.String(), Type.Null()]),
  },
  {
    description: 'A page of notifications',
    examples: [{ notifications: [notificationExample], next_page_token: null }],
  },
)

export const PageQuery = Type.Object(
  {
    limit: Type.Integer({
      minimum: 1,
      maximum: 100,
      default: 20,
      description: 'Notifications on a page, at most',
      examples: [20],
    }),
    token: Type.Optional(
      Type.String({ description: 'next_page_token of the page before', examples: ['AfagIIFMTDQ3MTE'] }),
    ),
  },
  { additionalProperties: false },
)
