import { problemResponses, text } from '@product-events/http-api'
import { type Static, type TSchema, Type } from 'typebox'

/** Twelve digits, two of them decimals: what `numeric(12, 2)` holds, and a double prints back exactly. */
const MAX_PRICE = 9_999_999_999.99
const MAX_DESCRIPTION = 2000

const Name = text({ minLength: 1, maxLength: 200, description: 'What it is called', examples: ['Green tea'] })
const Description = text({
  maxLength: MAX_DESCRIPTION,
  description: 'What there is to say about it',
  examples: ['From the hills'],
})
const Price = Type.Number({
  minimum: 0,
  maximum: MAX_PRICE,
  multipleOf: 0.01,
  description: 'At most two decimals, kept exactly',
  examples: [4.5],
})
const Timestamp = Type.String({ format: 'date-time', description: 'RFC 3339, in UTC' })

export const NewProduct = Type.Object(
  { name: Name, description: Type.Optional(Description), price: Price },
  {
    additionalProperties: false,
    examples: [{ name: 'Green tea', description: 'From the hills', price: 4.5 }],
  },
)
export type NewProduct = Static<typeof NewProduct>

/** Not anyOf: it would report each error twice. */
const DescriptionOrNull = Type.Unsafe<string | null>({
  ...Description,
  type: ['string', 'null'],
  description: 'null resets it to an empty string',
})

export const ProductPatch = Type.Object(
  { name: Type.Optional(Name), description: Type.Optional(DescriptionOrNull), price: Type.Optional(Price) },
  {
    additionalProperties: false,
    description: 'A JSON merge patch (RFC 7396): fields that it does not name stay as they are',
    examples: [{ price: 5.25 }, { name: 'Greener tea', description: null }],
  },
)
export type ProductPatch = Static<typeof ProductPatch>

const productExample = {
  id: '01997c1e-6a5b-7c3d-8e9f-0a1b2c3d4e5f',
  name: 'Green tea',
  description: 'From the hills',
  price: 4.5,
  version: 1,
  created_at: '2026-01-31T12:00:00.000Z',
  updated_at: '2026-01-31T12:00:00.000Z',
}

const Product = Type.Object(
  {
    id: Type.String({ format: 'uuid', description: 'UUIDv7' }),
    name: Type.String(),
    description: Type.String(),
    price: Type.Number(),
    version: Type.Integer({ minimum: 1, description: 'Counts the changes of this product' }),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { additionalProperties: false, examples: [productExample] },
)

const ProductId = Type.Object({
  id: Type.String({ description: 'The id of a product', examples: [productExample.id] }),
})

/** Not anyOf: the serializer would validate each answer to find out which of the two it is. */
const NextPageToken = Type.Unsafe<string | null>({
  type: ['string', 'null'],
  description: 'The token of the next page; null on the last one',
})

const ProductPage = Type.Object(
  { products: Type.Array(Product), next_page_token: NextPageToken },
  { additionalProperties: false, examples: [{ products: [productExample], next_page_token: null }] },
)

const ifMatch = Type.Optional(
  Type.String({ description: 'Only if the product still has one of these ETags, or `*`', examples: ['"1"'] }),
)
const ifNoneMatch = (description: string) => Type.Optional(Type.String({ description, examples: ['"2"'] }))

const ETag = Type.String({ description: 'Changes with every version of the product', examples: ['"1"'] })
const Location = Type.String({ description: 'Where the product is', examples: [`/products/${productExample.id}`] })
const Replayed = Type.Literal('true', {
  description: 'There if this is the answer to an earlier request with the same Idempotency-Key',
})

/** A JSON answer, which its handler sends as text. */
function json(description: string, schema: TSchema, headers: Record<string, TSchema> = {}) {
  return { description, headers, content: { 'application/json': { schema } } }
}

export const createSchema = {
  operationId: 'createProduct',
  summary: 'Create a product',
  headers: Type.Object({
    'idempotency-key': Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        pattern: '^[\\x20-\\x7e]*$',
        description:
          'The same request again under the same key, within 24 hours, does nothing and gets the first answer. ' +
          'A key is its caller’s own: with tokens, that of another subject is another key',
        examples: ['order-4711'],
      }),
    ),
  }),
  body: NewProduct,
  response: {
    201: json('The product, as it is now', Product, { ETag, Location, 'Idempotency-Replayed': Replayed }),
    ...problemResponses(400, 409, 413, 415, 422, 500, 503),
  },
}

export const listSchema = {
  operationId: 'listProducts',
  summary: 'List products, newest first',
  querystring: Type.Object(
    {
      limit: Type.Integer({
        minimum: 1,
        maximum: 100,
        default: 20,
        description: 'Products on a page, at most',
        examples: [20],
      }),
      token: Type.Optional(
        Type.String({
          description: 'next_page_token of the page before',
          examples: ['AYwjrenZrDAxOTk3YzFlLTZhNWItN2MzZC04ZTlmLTBhMWIyYzNkNGU1Zg'],
        }),
      ),
    },
    { additionalProperties: false },
  ),
  response: { 200: json('A page of products', ProductPage), ...problemResponses(400, 500, 503) },
}

export const getSchema = {
  operationId: 'getProduct',
  summary: 'Get a product',
  params: ProductId,
  headers: Type.Object({
    'if-match': ifMatch,
    'if-none-match': ifNoneMatch('Only if the product has another ETag by now: else 304'),
  }),
  response: {
    200: json('The product', Product, { ETag }),
    304: Type.Null({ description: 'It is what the client has', headers: { ETag } }),
    ...problemResponses(400, 404, 412, 500, 503),
  },
}

const changeHeaders = Type.Object({
  'if-match': ifMatch,
  'if-none-match': ifNoneMatch('Only if the product has none of these ETags'),
})

export const patchSchema = {
  operationId: 'updateProduct',
  summary: 'Change a product',
  description: 'A patch that changes nothing makes no new version and no event.',
  params: ProductId,
  headers: changeHeaders,
  body: ProductPatch,
  response: {
    200: json('The product, as it is now', Product, { ETag }),
    ...problemResponses(400, 404, 412, 413, 415, 500, 503),
  },
}

export const deleteSchema = {
  operationId: 'deleteProduct',
  summary: 'Delete a product',
  params: ProductId,
  headers: changeHeaders,
  response: { 204: Type.Null({ description: 'It is gone' }), ...problemResponses(400, 404, 412, 500, 503) },
}
