import { expect, test } from 'vitest'
import { readTraceHeaders, traceFields, traceHeaders } from './trace-context.ts'

const [trace, span] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7']

test.each(['00', '01'])('what is read is written again, with its decision %s whether to record', (flags) => {
  const headers = { traceparent: `00-${trace}-${span}-${flags}`, tracestate: 'shop=7,other=x' }
  const context = readTraceHeaders(headers.traceparent, headers.tracestate)
  expect(context).toMatchObject({ traceId: trace, spanId: span, isRemote: true })
  expect(context && traceHeaders(context)).toEqual(headers)
})

test.each([
  undefined,
  ['00', '00'],
  '',
  'x',
  `00-${trace}-${span}`,
  `00-${trace}-${span}-1`,
  `00-${trace}-${span}-01-more`,
  `ff-${trace}-${span}-01`,
  `00-${'0'.repeat(32)}-${span}-01`,
  `00-${trace}-${'0'.repeat(16)}-01`,
  `00-${trace.toUpperCase()}-${span}-01`,
  ` 00-${trace}-${span}-01`,
])('%j is no trace', (traceparent) => {
  expect(readTraceHeaders(traceparent, 'shop=7')).toBeUndefined()
})

test('a later version may say more, and flags that are not known yet are not passed on', () => {
  const context = readTraceHeaders(`01-${trace}-${span}-03-more`, undefined)
  expect(context && traceHeaders(context)).toEqual({ traceparent: `00-${trace}-${span}-01` })
})

test('a tracestate of 512 characters is passed on, a longer or a malformed one is dropped, and the trace goes on', () => {
  const written = (tracestate: string) => {
    const context = readTraceHeaders(`00-${trace}-${span}-01`, tracestate)
    return context && traceHeaders(context).tracestate
  }
  const members = (length: number) => `a=${'x'.repeat(200)},b=${'x'.repeat(200)},c=${'x'.repeat(length - 408)}`
  expect(members(512)).toHaveLength(512)
  expect(written(members(512))).toBe(members(512))
  expect(written(members(513))).toBeUndefined()
  expect(written('no member')).toBeUndefined()
  expect(written('a=\u0007')).toBeUndefined()
})

test('a log line names our own span, but of somebody else’s only the trace', () => {
  expect(traceFields(undefined)).toEqual({})
  expect(traceFields(readTraceHeaders(`00-${trace}-${span}-01`, undefined))).toEqual({ trace_id: trace })
  expect(traceFields({ traceId: trace, spanId: span, traceFlags: 1 })).toEqual({ trace_id: trace, span_id: span })
})
