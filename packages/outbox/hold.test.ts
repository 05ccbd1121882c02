import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createHold } from './hold.ts'
import type { OutboxEvent } from './send.ts'
import { sentEvent } from './testing/sent-event.ts'

const event = (id: number, key: string, lane = 0) => sentEvent(String(id), { key, lane })
const ids = (events: OutboxEvent[]) => events.map(({ id }) => Number(id))
const always = () => true

test('only the first event of a key is ready, and the next once it was accepted', () => {
  const hold = createHold()
  const [a1, b2, a3] = [event(1, 'a'), event(2, 'b'), event(3, 'a')]
  hold.add([a1, b2, a3])
  expect(ids(hold.take(10, always))).toEqual([1, 2])
  expect(ids(hold.take(10, always))).toEqual([])
  hold.accepted(a1)
  expect(ids(hold.take(10, always))).toEqual([3])
})

test('an accepted event stays held until it is settled, so that no claim reads it again', () => {
  const hold = createHold()
  const a1 = event(1, 'a')
  hold.add([a1])
  hold.take(1, always)
  hold.accepted(a1)
  expect(ids(hold.eventsOf(0))).toEqual([1])
  hold.forget(a1)
  expect(ids(hold.eventsOf(0))).toEqual([])
  expect(hold.size()).toBe(0)
})

test('a rejected event takes the rest of its key out of memory when it is settled, and no other key', () => {
  const hold = createHold()
  const [a1, a2, b3] = [event(1, 'a'), event(2, 'a'), event(3, 'b')]
  hold.add([a1, a2, b3])
  hold.take(1, always)
  expect(ids(hold.take(1, always))).toEqual([3])
  hold.forgetKey(a1)
  expect(ids(hold.eventsOf(0))).toEqual([3])
})

test('an event with the number of another one is an event of its own, but never in the same batch', () => {
  const hold = createHold()
  const [old, fresh] = [event(1, 'a'), { ...event(1, 'b'), eventId: 'event-of-another-time' }]
  hold.add([old, fresh, fresh])
  expect(hold.size()).toBe(2)
  expect(hold.take(10, always)).toEqual([old])
  expect(hold.take(10, always)).toEqual([fresh])
  hold.accepted(old)
  hold.forget(old)
  expect(hold.eventsOf(0)).toEqual([fresh])
})

test('a key with many events in memory is full until half of them have left; other keys are not', () => {
  const hold = createHold()
  const hot = Array.from({ length: 32 }, (_, n) => event(n + 1, 'hot'))
  hold.add([...hot, event(99, 'other')])
  expect(hold.fullKeysOf(0)).toEqual(['hot'])
  const hasRoom = hot.slice(0, 16).map((event) => hold.accepted(event))
  expect(hasRoom.indexOf(true)).toBe(15)
  expect(hold.fullKeysOf(0)).toEqual([])
})

test('an event without a verdict is the first of its key again', () => {
  const hold = createHold()
  const [a1, a2] = [event(1, 'a'), event(2, 'a')]
  hold.add([a1, a2])
  hold.take(1, always)
  hold.putBack(a1)
  expect(ids(hold.take(10, always))).toEqual([1])
})

test('a redriven event goes before younger ones of its key that have not left, but not before the one on its way', () => {
  const hold = createHold()
  const [a5, a10] = [event(5, 'a'), event(10, 'a')]
  hold.add([a5, a10])
  hold.take(1, always)
  // As text `9` comes after `10`.
  hold.add([event(9, 'a'), event(2, 'a')])
  for (const id of ['5', '2', '9', '10']) {
    const next = id === '5' ? a5 : hold.take(1, always)[0]!
    expect(next.id).toBe(id)
    hold.accepted(next)
  }
})

test('an event that may not be sent is forgotten with the rest of its key, and no other key with it', () => {
  const hold = createHold()
  const [a1, a2, b3] = [event(1, 'a', 1), event(2, 'a', 1), event(3, 'b', 2)]
  hold.add([a1, a2, b3])
  expect(ids(hold.take(10, ({ lane }) => lane !== 1))).toEqual([3])
  expect(ids(hold.eventsOf(1))).toEqual([])
  expect(ids(hold.eventsOf(2))).toEqual([3])
})

test('events of lanes that are gone are forgotten, but for those on their way', () => {
  const hold = createHold()
  const [a1, a2, b3] = [event(1, 'a', 1), event(2, 'a', 1), event(3, 'b', 2)]
  hold.add([a1, a2, b3])
  hold.take(1, always)
  hold.forgetWaiting((lane) => lane === 1)
  expect(ids(hold.eventsOf(1))).toEqual([1])
  expect(ids(hold.eventsOf(2))).toEqual([3])
  hold.accepted(a1)
  expect(ids(hold.take(10, always))).toEqual([3])
})

test('whatever happens in whatever order, no two events of a key are on their way and each key leaves in order', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('add'), key: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ do: fc.constant('take'), count: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ do: fc.constantFrom('accept', 'putBack', 'reject', 'settle'), pick: fc.nat() }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const hold = createHold()
      const onTheirWay: OutboxEvent[] = []
      const unsettled: OutboxEvent[] = []
      const lastAccepted = new Map<string, number>()
      let next = 1
      for (const step of steps) {
        if (step.do === 'add') hold.add([event(next++, (step as { key: string }).key)])
        else if (step.do === 'take') {
          for (const taken of hold.take((step as { count: number }).count, always)) {
            expect(onTheirWay.map(({ key }) => key)).not.toContain(taken.key)
            expect(Number(taken.id)).toBeGreaterThan(lastAccepted.get(taken.key) ?? 0)
            onTheirWay.push(taken)
          }
        } else if (step.do === 'settle') {
          for (const accepted of unsettled.splice(0)) hold.forget(accepted)
        } else if (onTheirWay.length > 0) {
          const [picked] = onTheirWay.splice((step as { pick: number }).pick % onTheirWay.length, 1)
          if (step.do === 'putBack') hold.putBack(picked!)
          else if (step.do === 'reject') hold.forgetKey(picked!)
          else {
            hold.accepted(picked!)
            unsettled.push(picked!)
            lastAccepted.set(picked!.key, Number(picked!.id))
          }
        }
      }
      // Everything that is still held can leave: nothing is stuck.
      for (let round = 0; round < next; round++) {
        for (const left of [...onTheirWay.splice(0), ...hold.take(next, always)]) {
          hold.accepted(left)
          hold.forget(left)
        }
        for (const accepted of unsettled.splice(0)) hold.forget(accepted)
      }
      expect(hold.size()).toBe(0)
    }),
  )
})
