import { text } from '@product-events/http-api'
import { type Static, Type } from 'typebox'

const Uuid = Type.String({ format: 'uuid' })
const Timestamp = Type.String({ format: 'date-time' })

const notificationExample = {
  id: '01997c1e-8f5a-7c44-b1c3-3a3d0d6c1f10',
  event_id: '01997c1e-8f21-7b0e-9d52-54f9ad6be0aa',
  event_type: 'product.created',
  product_id: '01997c1e-8f20-7a39-8a07-2a5c51b93c41',
  title: 'Product created',
  message: '"Green tea" was created at 4.50',
  sequence: '1',
  occurred_at: '2026-01-05T09:30:00.120Z',
  received_at: '2026-01-05T09:30:00.131Z',
}

/** A notification as the API shows it. */
export const Notification = Type.Object(
  {
    id: Uuid,
    event_id: Type.String({
      format: 'uuid',
      description: 'The event of the notification. One event has one notification.',
    }),
    event_type: Type.String({ description: 'As in the event, also if this version does not know it.' }),
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
  {
    description: 'The notification',
    examples: [notificationExample],
  },
)
export type Notification = Static<typeof Notification>

export const NotificationPage = Type.Object(
  {
    notifications: Type.Array(Notification),
    next_page_token: Type.Union([Type.String(), Type.Null()], {
      description: 'The token of the next page, or null on the last one.',
    }),
  },
  {
    description: 'A page of notifications',
    examples: [{ notifications: [notificationExample], next_page_token: null }],
  },
)

const filters = {
  product_id: Type.Optional(
    Type.String({
      format: 'uuid',
      description: 'Only notifications of this product.',
      examples: [notificationExample.product_id],
    }),
  ),
  event_type: Type.Optional({
    ...text({ minLength: 1, maxLength: 200 }),
    description: 'Only notifications of events of this type.',
    examples: ['product.created'],
  }),
}

export const FilterQuery = Type.Object(filters, { additionalProperties: false })

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
      Type.String({
        description: 'The next_page_token of the page before, which had the same filters.',
        examples: ['AelCXa-YLjQ3MTE'],
      }),
    ),
    ...filters,
  },
  { additionalProperties: false },
)

export const NotificationParams = Type.Object({
  id: Type.String({ examples: [notificationExample.id], description: 'The id of the notification.' }),
})
