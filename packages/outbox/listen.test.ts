import { expect, test } from 'vitest'
import { channelOf } from './listen.ts'

test('each schema has a channel of its own, which is never longer than PostgreSQL takes', () => {
  expect(channelOf()).toBe('outbox_public')
  expect(channelOf('shop')).toBe('outbox_shop')
  expect(channelOf('s'.repeat(56))).toBe(`outbox_${'s'.repeat(56)}`)
  expect(channelOf('s'.repeat(57))).toBe(`outbox_${'s'.repeat(56)}`)
  const cut = channelOf(`s${'ü'.repeat(40)}`)
  expect(cut).toBe(`outbox_s${'ü'.repeat(27)}`)
  expect(Buffer.byteLength(cut)).toBe(62)
})
