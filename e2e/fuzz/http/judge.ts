import type { AnswerCheck } from '../../../packages/http-api/testing/check-answer.ts'
import type { Model, Product } from './model.ts'
import type { FuzzRequest } from './requests.ts'
import type { Answer, Outcome } from './send.ts'

/** What may be the answer to a request of the right form: it was taken, or the state of things is against it. */
const FORM_IS_RIGHT = [200, 201, 204, 304, 404, 409, 412, 422]

/** The fault in the answer to a request; undefined without one. Records changes in `model`. */
export function judge(request: FuzzRequest, outcome: Outcome, check: AnswerCheck, model: Model): string | undefined {
  if (outcome.kind === 'hangs') return 'no answer'
  if (outcome.kind === 'gone') {
    const expected = request.cutOff || !request.isValid
    return expected ? undefined : `no answer: ${outcome.reason}`
  }
  const { answer } = outcome
  if (answer.status === 503 && answer.headers['retry-after'] !== undefined) return undefined
  if (answer.status >= 500) return `${answer.status}: ${answer.body}`
  if (request.isValid && !FORM_IS_RIGHT.includes(answer.status)) return `refused, but valid: ${answer.body}`
  return undescribed(request, answer, check) ?? learn(request, answer, model)
}

/** A strange URL or id may lead to no route, or another one: then the answer is a problem that any path may have. */
function undescribed(request: FuzzRequest, { status, headers, body }: Answer, check: AnswerCheck): string | undefined {
  // The document has no operation that these are.
  if (status === 200 && (request.method === 'OPTIONS' || /^\/(\?|$)/.test(request.url))) return undefined
  const mediaType = headers['content-type']?.toString().split(';')[0]
  const sent = { method: request.method, status, mediaType, headers, body }
  const fault = check({ ...sent, path: request.path })
  if (fault === undefined || request.isValid) return fault
  const elsewhere = status < 400 ? ['/products', '/products/{id}'] : [undefined]
  return elsewhere.some((path) => check({ ...sent, path }) === undefined) ? undefined : fault
}

/** An answer that says something was done is taken at its word; the database is compared with it later. */
function learn(request: FuzzRequest, { status, headers, body }: Answer, model: Model): string | undefined {
  if (status === 201 && headers['idempotency-replayed'] === undefined) {
    const product = JSON.parse(body) as Product
    model.created(product)
    return headers.location === `/products/${product.id}` ? unlike(request, product) : 'its Location is another product'
  }
  if (status === 200 && request.method === 'PATCH') {
    const product = JSON.parse(body) as Product
    const before = model.get(product.id)
    model.updated(product)
    return unlike(request, product, before) ?? wrongVersion(product, before)
  }
  if (status === 204 && request.method === 'DELETE') model.deleted(idIn(request))
  if (status === 200 && request.method === 'GET' && idIn(request) !== '') {
    const known = JSON.stringify(model.get(idIn(request)))
    if (known !== undefined && known !== JSON.stringify(JSON.parse(body))) return `it was answered before as ${known}`
  }
  return undefined
}

/** A field whose answered value differs from the sent one. */
function unlike({ body }: FuzzRequest, product: Product, before?: Product): string | undefined {
  // RFC 8259 lets a parser pass over a byte order mark, and ours does.
  const sent = JSON.parse(String(body).replace(/^\ufeff/, '')) as Partial<
    Record<'name' | 'description' | 'price', unknown>
  >
  for (const field of ['name', 'description', 'price'] as const) {
    const missing = field === 'description' ? '' : undefined
    const expected = field in sent ? (sent[field] ?? missing) : before ? before[field] : missing
    if (!Object.is(expected === 0 ? 0 : expected, product[field])) return `${field} is not what was sent`
  }
  return undefined
}

/** One more after a change, the same without one: as the events' sequence it must have no gap. */
function wrongVersion(product: Product, before: Product | undefined): string | undefined {
  if (!before) return undefined
  const changed = (['name', 'description', 'price'] as const).some((field) => before[field] !== product[field])
  const expected = before.version + (changed ? 1 : 0)
  return product.version === expected ? undefined : `its version is ${product.version}, not ${expected}`
}

/** The id in the URL, in the form that the API answers; '' when there is none. */
function idIn({ url }: FuzzRequest): string {
  return (/^\/products\/([^/?]+)/.exec(url)?.[1] ?? '').toLowerCase()
}
