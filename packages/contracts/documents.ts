import { stringify } from 'yaml'
import { type ProductEventType, productEvents } from './product-event.ts'

/** What AsyncAPI 3 asks every tool to read. The schemas use nothing that is newer. */
const JSON_SCHEMA = 'http://json-schema.org/draft-07/schema#'
/** https://www.asyncapi.com/docs/reference/specification/v3.1.0 */
const ASYNCAPI = '3.1.0'

const types = Object.keys(productEvents) as ProductEventType[]

/**
 * The documents for those who do not read TypeScript, by their paths in this folder; made from the schemas of the
 * types.
 */
export function documents(): Map<string, string> {
  const schemas = types.map((type) => [schemaPath(type), jsonSchema(type)] as const)
  return new Map([...schemas, ['asyncapi.yaml', asyncApi()]])
}

function schemaPath(type: ProductEventType): string {
  return `schemas/${type}.json`
}

function jsonSchema(type: ProductEventType): string {
  const schema = { $schema: JSON_SCHEMA, title: type, ...productEvents[type] }
  return `${JSON.stringify(schema, null, 2)}\n`
}

function asyncApi(): string {
  const document = {
    asyncapi: ASYNCAPI,
    info: {
      title: 'Product events',
      version: '1.0.0',
      description:
        'Every change of a product, as CloudEvents 1.0 in structured JSON. Delivered at least once: tell a repetition by ' +
        '`id`. A standard queue may reorder; `sequence` is the version of the product, and whoever keeps state ignores an ' +
        'event whose sequence is not above the last one of the same `subject`.',
    },
    defaultContentType: 'application/cloudevents+json',
    channels: {
      productNotifications: {
        address: 'product-notifications',
        description: 'An SQS queue, standard or FIFO. On FIFO the message group is the `subject`.',
        messages: Object.fromEntries(types.map((type) => [type, { $ref: `#/components/messages/${type}` }])),
      },
    },
    operations: {
      publishProductEvents: { action: 'send', channel: { $ref: '#/channels/productNotifications' } },
      notifyOfProductEvents: { action: 'receive', channel: { $ref: '#/channels/productNotifications' } },
    },
    components: {
      messages: Object.fromEntries(types.map((type) => [type, message(type)])),
      schemas: { MessageAttributes: messageAttributes },
    },
  }
  return `# Made by \`npm run contracts\` from the schemas in this folder.\n${stringify(document, { lineWidth: 120 })}`
}

function message(type: ProductEventType) {
  return {
    name: type,
    headers: { $ref: '#/components/schemas/MessageAttributes' },
    payload: {
      schemaFormat: 'application/schema+json;version=draft-07',
      schema: { $ref: `./${schemaPath(type)}` },
    },
  }
}

/** Sent beside the body, as SQS message attributes. */
const messageAttributes = {
  type: 'object',
  properties: {
    type: { type: 'string', enum: types },
    traceparent: { type: 'string', description: 'W3C Trace Context, if the change was traced' },
    tracestate: { type: 'string' },
  },
  required: ['type'],
}
