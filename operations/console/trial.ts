import { type HttpApi, HttpProblem, problemResponses, text } from '@product-events/http-api'
import { Type } from 'typebox'
import { Trial } from './answers.ts'

/** The control server answers at once: what takes longer goes on in the background there. */
const TIMEOUT_MS = 5_000

const Play = Type.Object(
  {
    fault: Type.Optional(text({ minLength: 1, maxLength: 64, description: 'The name of a fault' })),
    traffic: Type.Optional(Type.Number({ minimum: 0, maximum: 50, description: 'Changes a second' })),
    product: Type.Optional(Type.Enum(['create', 'update', 'delete'])),
  },
  { additionalProperties: false, minProperties: 1, examples: [{ fault: 'sqs-away' }, { traffic: 10 }] },
)

/** Faults and traffic, which `npm start` plays. Its token stays here: the page never sees it. */
export function addTrialRoutes(app: HttpApi, controlUrl: string): void {
  const { password: token, origin } = new URL(controlUrl)

  async function ask(method: 'GET' | 'POST', body?: object): Promise<Trial> {
    // A refused connection or a timeout becomes the 503 below.
    const response = await fetch(`${origin}/`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch(() => undefined)
    if (response?.ok) return (await response.json()) as Trial
    if (response?.status === 400) throw new HttpProblem('invalid-request', await response.text())
    throw new HttpProblem('unavailable', 'npm start does not answer.')
  }

  const response = { 200: Trial, ...problemResponses(400, 500, 503) }
  app.get('/api/trial', { schema: { operationId: 'getTrial', summary: 'See what is being tried', response } }, () =>
    ask('GET'),
  )
  const play = { operationId: 'play', summary: 'Play a fault or traffic', body: Play, response }
  app.post('/api/trial', { schema: play }, ({ body }) => ask('POST', body))
}
