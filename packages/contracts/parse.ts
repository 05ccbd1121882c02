import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { MOST_CHARACTERS, Uuid } from './envelope.ts'
import { type ProductEvent, type ProductEventType, productEvents } from './product-event.ts'

/** The fields of every event, whatever its type and version: enough to store it and to notify about it. */
const Envelope = Type.Object({
  specversion: Type.String({ pattern: '^1\\.[0-9]{1,3}$' }),
  id: Uuid,
  source: Type.String({ minLength: 1, maxLength: MOST_CHARACTERS.source }),
  type: Type.String({ minLength: 1, maxLength: MOST_CHARACTERS.type }),
  subject: Uuid,
  time: Type.String({ format: 'date-time', maxLength: MOST_CHARACTERS.time }),
  sequence: Type.String({ pattern: '^[1-9][0-9]{0,18}$' }),
})
export type Envelope = Static<typeof Envelope>

/**
 * The verdict on a message body:
 * - `event`: an event of a type and shape we know;
 * - `unknown`: an envelope of ours around a type we do not know, or data of a shape we do not know (a newer producer);
 * - `invalid`: no event at all. `reason` names the first thing that is wrong.
 */
export type ParsedBody =
  | { kind: 'event'; event: ProductEvent }
  | { kind: 'unknown'; envelope: Envelope; reason: string }
  | { kind: 'invalid'; reason: string }

const envelopeCheck = Compile(Envelope)
const eventChecks = new Map(Object.entries(productEvents).map(([type, schema]) => [type, Compile(schema)]))

/** Parses the body of an SQS message. Never throws. Fields that we do not know are kept and ignored. */
export function parseBody(body: string): ParsedBody {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch (error) {
    return { kind: 'invalid', reason: `not JSON: ${(error as Error).message}` }
  }
  if (!envelopeCheck.Check(value)) return { kind: 'invalid', reason: firstError(envelopeCheck.Errors(value)) }
  const check = eventChecks.get(value.type)
  if (!check) return { kind: 'unknown', envelope: value, reason: `unknown type ${value.type}` }
  if (check.Check(value)) return { kind: 'event', event: value as ProductEvent }
  return { kind: 'unknown', envelope: value, reason: firstError(check.Errors(value)) }
}

export function isProductEventType(type: string): type is ProductEventType {
  return eventChecks.has(type)
}

function firstError(errors: Iterable<{ instancePath: string; message: string }>): string {
  for (const error of errors) return `${error.instancePath || 'the body'} ${error.message}`
  return 'does not match the schema'
}
