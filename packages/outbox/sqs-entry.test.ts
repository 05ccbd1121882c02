import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Entry, pack, toEntry } from './sqs-entry.ts'
import { sentEvent } from './testing/sent-event.ts'

const event = (payload: string, headers: Record<string, string> = {}) =>
  sentEvent('7', {
    eventId: '01a202ac-4eb7-784d-a155-84ebad6833ec',
    key: 'product-1',
    type: 'product.created',
    payload,
    headers,
  })

test('the size counts bytes of body and attributes, not characters', () => {
  const { bytes } = toEntry(event('"ü"', { traceparent: 'abc' }), false)
  // Two quotes and two bytes, "traceparent" + "String" + "abc", "type" + "String" + "product.created".
  expect(bytes).toBe(4 + (11 + 6 + 3) + (4 + 6 + 15))
})

test('any JSON text reads the same after the characters that SQS or an emulator refuses were escaped', () => {
  const text = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(fc.dictionary(text, text, { maxKeys: 3 }), (value) => {
      const json = JSON.stringify(value)
      const body = toEntry(event(json), false).entry.MessageBody!
      expect(JSON.parse(body)).toEqual(JSON.parse(json))
      expect(body).not.toMatch(/[\ud800-\udfff\ufffe\uffff]/)
    }),
  )
})

test('only a FIFO queue gets a group and a deduplication id', () => {
  expect(toEntry(event('{}'), true).entry).toMatchObject({
    MessageGroupId: 'product-1',
    MessageDeduplicationId: '01a202ac-4eb7-784d-a155-84ebad6833ec',
  })
  expect(toEntry(event('{}'), false).entry).not.toHaveProperty('MessageGroupId')
})

test('every batch keeps both limits, nothing is lost or reordered, and no batch could have taken the next entry', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 50 })
  fc.assert(
    fc.property(sizes, (sizes) => {
      const entries = sizes.map((bytes) => ({ ...toEntry(event('{}'), false), bytes }))
      const batches = pack(entries, 10, 100)
      const total = (batch: Entry[]) => batch.reduce((sum, { bytes }) => sum + bytes, 0)
      expect(batches.flat()).toEqual(entries)
      for (const [index, batch] of batches.entries()) {
        expect(batch.length).toBeLessThanOrEqual(10)
        expect(total(batch)).toBeLessThanOrEqual(100)
        const following = batches[index + 1]?.[0]
        if (following) expect(batch.length === 10 || total(batch) + following.bytes > 100).toBe(true)
      }
    }),
  )
})
