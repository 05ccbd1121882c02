import { type HttpApi, HttpProblem, problemResponses, text } from '@product-events/http-api'
import { Type } from 'typebox'
import { Action, DryRun, Needs, Source } from '../answers.ts'
import type { NeedsReader, Places } from '../needs/needs.ts'
import { becameOf, describeAction } from './outcome.ts'
import { listActions } from './record.ts'
import { dryRun, matching, type Runner } from './run.ts'

export interface ActionRoutesOptions {
  places: Places
  needs: NeedsReader
  runner: Runner
}

/** Fast enough for thousands, slow enough for a consumer that has its usual traffic besides. */
const RATE = 50
/** What a page shows; older actions are in the table. */
const SHOWN = 50

const Order = Type.Object(
  {
    what: Type.Enum(['redrive', 'delete']),
    source: Type.Enum(['events', 'deliveries', 'messages']),
    key: text({ minLength: 1, maxLength: 64, description: 'The group, as /api/needs names it' }),
    rate: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, description: 'Items a second at most: 50' })),
    why: text({ minLength: 1, maxLength: 500, description: 'The reason, for the record' }),
    dry_run: Type.Optional(Type.Boolean({ description: 'Tell what would be done, and do nothing' })),
  },
  {
    additionalProperties: false,
    examples: [
      { what: 'redrive', source: 'events', key: '3f1c9a2b7d5e8f60', why: 'The grant is restored', dry_run: true },
    ],
  },
)

export function addActionRoutes(app: HttpApi, { places, needs, runner }: ActionRoutesOptions): void {
  const needsSchema = {
    operationId: 'listNeeds',
    summary: 'See what waits for an operator, grouped by reason',
    querystring: Type.Object({ source: Source }, { additionalProperties: false }),
    response: { 200: Needs, ...problemResponses(400, 500) },
  }
  app.get('/api/needs', { schema: needsSchema }, ({ query }) => needs.read(query.source))

  const actionsSchema = {
    operationId: 'listActions',
    summary: 'See who did what, why, and what became of it',
    response: { 200: Type.Object({ actions: Type.Array(Action) }), ...problemResponses(500, 503) },
  }
  app.get('/api/actions', { schema: actionsSchema }, async () => {
    const rows = await listActions(places.products, SHOWN)
    // While a source is unreachable the record is still worth showing; its outcome then says "unknown".
    const actions = await Promise.all(
      rows.map(async (row) => describeAction(row, await becameOf(row, places).catch(() => undefined))),
    )
    return { actions }
  })

  const actSchema = {
    operationId: 'act',
    summary: 'Redrive or delete all items of a group',
    body: Order,
    response: {
      200: { description: 'The dry run', content: { 'application/json': { schema: DryRun } } },
      202: {
        description: 'Recorded and started',
        content: { 'application/json': { schema: Type.Object({ id: Type.String() }) } },
      },
      ...problemResponses(400, 404, 413, 415, 500, 503),
    },
  }
  app.post('/api/actions', { schema: actSchema }, async ({ body, subject }, reply) => {
    const order = { rate: RATE, ...body }
    if (order.what === 'delete' && order.source !== 'messages')
      throw new HttpProblem('invalid-request', 'Only messages of the dead-letter queue can be deleted.')
    const items = await matching(needs, order)
    if (items.length === 0) throw new HttpProblem('not-found', 'This group is empty now.')
    if (order.dry_run) return reply.code(200).send(await dryRun(places, order.source, items))
    const who = subject === '' ? 'local' : subject
    return reply.code(202).send({ id: await runner.start({ ...order, who }, items) })
  })
}
