import { expect, test } from 'vitest'
import { countByPhase } from './slow.ts'

const replacement = { what: 'relay → this version', stopping: 1_000, starting: 3_000, ready: 4_000 }
const delivered = (occurred: number, writeMs: number, relayMs: number, inboxMs: number) => ({
  occurred,
  written: occurred + writeMs,
  accepted: occurred + writeMs + relayMs,
  notified: occurred + writeMs + relayMs + inboxMs,
})

test('slow deliveries are counted by what was replaced when they waited for longest, and by what they waited for', () => {
  const phases = countByPhase(
    [
      delivered(0, 10, 10, 10),
      delivered(990, 20, 900, 10),
      delivered(2_000, 10, 20, 170),
      delivered(2_000, 10, 20, 171),
      delivered(3_500, 300, 10, 10),
      delivered(4_000, 5, 10, 10),
      delivered(9_000, 5, 10, 10),
    ],
    [replacement],
  )
  const none = { write: 0, relay: 0, inbox: 0 }
  expect(phases).toEqual([
    { phase: 'before', deliveries: 1, slow: 0, waitedFor: none, longestMs: 30 },
    {
      phase: 'relay → this version: the old one stops',
      deliveries: 3,
      slow: 2,
      waitedFor: { ...none, relay: 1, inbox: 1 },
      longestMs: 930,
    },
    {
      phase: 'relay → this version: the new one starts',
      deliveries: 1,
      slow: 1,
      waitedFor: { ...none, write: 1 },
      longestMs: 320,
    },
    { phase: 'relay → this version: the new one is ready', deliveries: 1, slow: 0, waitedFor: none, longestMs: 25 },
    { phase: 'after', deliveries: 1, slow: 0, waitedFor: none, longestMs: 25 },
  ])
})
