import { problemResponses, text } from 'http-api'
import { type Static, Type } from 'typebox'

/** Twelve digits, two of them decimals: what `numeric(12, 2)` holds, and a double prints back exactly. */
const MAX_PRICE = 9_999_999_999.99

const Name = text({ minLength: 1, maxLength: 200, description: 'What it is called' })
const Description = text({ maxLength: 2000, description: 'What there is to say about it' })
const Price = Type.Number({
  minimum: 0,
  maximum: MAX_PRICE,
  multipleOf: 0.01,
  description: 'At most two decimals, kept exactly',
})
const Timestamp = Type.String({ format: 'date-time', description: 'RFC 3339, in UTC' })

export const NewProduct = Type.Object(
  { name: Name, description: Type.Optional(Description), price: Price },
  { additionalProperties: false },
)
export type NewProduct = Static<typeof NewProduct>

const Product = Type.Object({
  id: Type.String({ format: 'uuid', description: 'UUIDv7' }),
  name: Type.String(),
  description: Type.String(),
  price: Type.Number(),
  version: Type.Integer({ minimum: 1, description: 'Counts the changes of this product' }),
  created_at: Timestamp,
  updated_at: Timestamp,
})

const ProductId = Type.Object({ id: Type.String({ description: 'The id of a product' }) })

/** Not anyOf: the serializer would validate each answer to find out which of the two it is. */
const NextPageToken = Type.Unsafe<string | null>({
  type: ['string', 'null'],
  description: 'The token of the next page; null on the last one',
})

export const createSchema = {
  summary: 'Create a product',
  body: NewProduct,
  response: { 201: Product, ...problemResponses(400, 413, 415, 500, 503) },
}

export const listSchema = {
  summary: 'List products, newest first',
  querystring: Type.Object(
    {
      limit: Type.Integer({ minimum: 1, maximum: 100, default: 20, description: 'Products on a page, at most' }),
      token: Type.Optional(Type.String({ description: 'next_page_token of the page before' })),
    },
    { additionalProperties: false },
  ),
  response: {
    200: Type.Object({ products: Type.Array(Product), next_page_token: NextPageToken }),
    ...problemResponses(400, 500, 503),
  },
}

export const getSchema = {
  summary: 'Get a product',
  params: ProductId,
  response: { 200: Product, ...problemResponses(404, 500, 503) },
}

export const deleteSchema = {
  summary: 'Delete a product',
  params: ProductId,
  response: { 204: Type.Null({ description: 'It is gone' }), ...problemResponses(404, 500, 503) },
}
