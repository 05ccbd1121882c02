import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import specs from '@asyncapi/specs'
import { Ajv, type AnySchema } from 'ajv'
import { default as addFormats } from 'ajv-formats'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { documents } from './documents.ts'
import { parseBody } from './parse.ts'
import { type ProductEventType, productEvents } from './product-event.ts'

const types = Object.keys(productEvents) as ProductEventType[]
const read = (path: string) => readFileSync(join(import.meta.dirname, path), 'utf8')
const list = (folder: string) => readdirSync(join(import.meta.dirname, folder)).map((name) => `${folder}/${name}`)

test('the AsyncAPI document and the JSON Schemas are what the types say; `npm run contracts` makes them so', () => {
  for (const [path, text] of documents()) expect({ path, text: read(path) }).toEqual({ path, text })
  expect(list('schemas').toSorted()).toEqual(types.map((type) => `schemas/${type}.json`).toSorted())
})

test('every event that was ever sent in one of these shapes still parses', () => {
  const examples = list('examples')
  for (const path of examples) expect({ path, kind: parseBody(read(path)).kind }).toEqual({ path, kind: 'event' })
  const known = new Set(examples.map((path) => (JSON.parse(read(path)) as { type: string }).type))
  expect([...known].toSorted()).toEqual(types.toSorted())
})

test.each(types)('the JSON Schema of %s decides like the service', (type) => {
  const ajv = new Ajv({ strict: true })
  addFormats.default(ajv)
  const check = ajv.compile(JSON.parse(read(`schemas/${type}.json`)) as object)
  const example = JSON.parse(read(`examples/${type}.json`)) as Record<string, unknown>
  expect(check(example)).toBe(true)
  const broken = fc.oneof(fc.constant(undefined), fc.constant(null), fc.integer(), fc.string(), fc.object())
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(example)), broken, (field, value) => {
      const event = JSON.parse(JSON.stringify({ ...example, [field]: value })) as unknown
      return check(event) === (parseBody(JSON.stringify(event)).kind === 'event')
    }),
    { numRuns: 200 },
  )
})

test("the AsyncAPI document is one by AsyncAPI's own schema", () => {
  // It brings draft-07's own schema along, which is Ajv's to bring otherwise.
  const ajv = new Ajv({ strict: false, meta: false, validateSchema: false })
  addFormats.default(ajv)
  const check = ajv.compile(specs.schemas['3.1.0'] as AnySchema)
  expect({ valid: check(parse(read('asyncapi.yaml'))), errors: check.errors }).toEqual({ valid: true, errors: null })
  expect(check({ asyncapi: '3.1.0', info: { title: 'no version' } })).toBe(false)
})

test('every reference of the AsyncAPI document leads somewhere', () => {
  const document = parse(read('asyncapi.yaml')) as object
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference = '']) => reference)
  expect(references.length).toBeGreaterThanOrEqual(2 * types.length)
  for (const reference of references) {
    if (reference.startsWith('./')) expect(() => JSON.parse(read(reference)) as unknown).not.toThrow()
    else expect({ reference, target: target(document, reference) }).toEqual({ reference, target: expect.any(Object) })
  }
})

/** What `#/a/b` points to. */
function target(document: object, pointer: string): unknown {
  return pointer
    .slice('#/'.length)
    .split('/')
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document)
}
