import { type HttpApi, problemResponses, text } from '@product-events/http-api'
import { Type } from 'typebox'
import { Found } from '../answers.ts'
import { answerOf, type FindPlaces } from './answer.ts'

export interface FindOptions {
  finding: FindPlaces
}

export function addFindRoute(app: HttpApi, { finding }: FindOptions): void {
  const schema = {
    operationId: 'findEvent',
    summary: 'Find an event by the id of its product, event, notification, trace or message',
    querystring: Type.Object(
      { id: text({ minLength: 1, maxLength: 200, examples: ['01997c1e-6a5b-7c3d-8e9f-0a1b2c3d4e5f'] }) },
      { additionalProperties: false },
    ),
    response: { 200: Found, ...problemResponses(400, 500, 503) },
  }
  app.get('/api/find', { schema }, ({ query }) => answerOf(query.id, finding))
}
