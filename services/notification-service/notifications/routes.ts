import { type HttpApi, HttpProblem, pageTokens, problemResponses } from '@product-events/http-api'
import type pg from 'pg'
import { type Filter, filterOf } from './filter.ts'
import { getNotification } from './get.ts'
import { listNotifications } from './list.ts'
import { Notification, NotificationPage, NotificationParams, PageQuery } from './schemas.ts'

/** A position, of at most so many digits that it fits a bigint. */
const POSITION = /^[1-9][0-9]{0,17}$/
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Each filter makes a list of its own, so the token of another filter is told as that of another list. */
const tokensOf = (filter: Filter) => pageTokens(`notifications ${JSON.stringify(filter)}`, POSITION)

export function notificationRoutes(app: HttpApi, pool: pg.Pool): void {
  app.route({
    method: 'GET',
    url: '/notifications',
    schema: {
      operationId: 'listNotifications',
      summary: 'List notifications, newest first',
      querystring: PageQuery,
      response: { 200: NotificationPage, ...problemResponses(400, 500, 503) },
    },
    async handler({ query: { limit, token, ...query } }) {
      const filter = filterOf(query)
      const tokens = tokensOf(filter)
      const before = token === undefined ? undefined : tokens.decode(token)
      const { notifications, next } = await listNotifications(pool, filter, limit, before)
      return { notifications, next_page_token: next === undefined ? null : tokens.encode(next) }
    },
  })

  app.route({
    method: 'GET',
    url: '/notifications/:id',
    schema: {
      operationId: 'getNotification',
      summary: 'Get a notification',
      params: NotificationParams,
      response: { 200: Notification, ...problemResponses(404, 500, 503) },
    },
    async handler({ params: { id } }) {
      // A text that is not a UUID names no notification either.
      const notification = UUID.test(id) ? await getNotification(pool, id) : undefined
      if (!notification) throw new HttpProblem('not-found', `There is no notification ${id}.`)
      return notification
    },
  })
}
