import { expect, test } from 'vitest'
import { judgeDeliveries } from './deliveries.ts'

const notifications = ['a', 'b'].flatMap((productId) =>
  [1, 2, 3].map((sequence) => ({ eventId: `${productId}${sequence}`, productId, type: 'product.updated', sequence })),
)

test.each([
  ['in order', ['a1', 'b1', 'a2', 'b2', 'b3', 'a3']],
  ['some of them again, and out of order then', ['a1', 'a2', 'a1', 'b1', 'b2', 'b3', 'a3', 'b1']],
])('deliveries are as promised: %s', (_what, received) => {
  expect(judgeDeliveries(notifications, received)).toEqual([])
})

test('what an earlier round sent and comes again is none of this round', () => {
  const received = ['old', ...notifications.map(({ eventId }) => eventId)]
  expect(judgeDeliveries(notifications, received, (eventId) => eventId === 'old')).toEqual([])
})

test.each([
  ['one is missing', ['a1', 'b1', 'a2', 'b2', 'b3'], /never got the notification of event a3/],
  ['one is of nothing', ['a1', 'b1', 'a2', 'b2', 'b3', 'a3', 'c1'], /event c1, which has no notification/],
  ['two of a product change places', ['a2', 'a1', 'a3', 'b1', 'b2', 'b3'], /sequences 2, 1, 3 of product a/],
])('deliveries are found wrong when %s', (_what, received, found) => {
  const wrong = judgeDeliveries(notifications, received)
  expect(wrong).toHaveLength(1)
  expect(wrong[0]).toMatch(found)
})
