import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { route } from './route.ts'
import type { OutboxEvent, Send } from './send.ts'
import { sentEvent } from './testing/sent-event.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

const event = (id: string, type: string) => sentEvent(id, { type })

/** A destination that keeps what it gets; `fails` says how it fails. */
function destination() {
  const got: string[] = []
  const at = {
    got,
    calls: 0,
    fails: undefined as undefined | ((events: readonly OutboxEvent[]) => 'outage' | 'throws' | undefined),
  }
  const send: Send = async (events) => {
    at.calls++
    const failure = at.fails?.(events)
    if (failure === 'throws') throw new Error('a bug')
    if (failure === 'outage') return { outcomes: new Map(), outage: 'unreachable' }
    got.push(...events.map(({ id }) => id))
    return { outcomes: new Map(events.map(({ id }) => [id, { kind: 'accepted' }])) }
  }
  return Object.assign(at, { send })
}

const kinds = (outcomes: Map<string, { kind: string }>) =>
  Object.fromEntries([...outcomes].map(([id, { kind }]) => [id, kind]))
const later = () => vi.advanceTimersByTime(10_000)

test('the first pattern that fits decides, and default takes the rest wherever it is written', async () => {
  const [a, b, c] = [destination(), destination(), destination()]
  const send = route({ default: c.send, 'order.paid': a.send, 'order.*': b.send, '*.paid?': a.send })
  const types = ['order.paid', 'order.sent', 'order', 'orders.paid', 'x.paid?', 'order.a.b']
  const { outcomes, outage } = await send(types.map((type) => event(type, type)))
  expect(outage).toBeUndefined()
  expect(Object.values(kinds(outcomes))).toEqual(types.map(() => 'accepted'))
  expect([a.got, b.got, c.got]).toEqual([
    ['order.paid', 'x.paid?'],
    ['order.sent', 'order.a.b'],
    ['order', 'orders.paid'],
  ])
})

test('events of a destination with an outage are postponed, without a call until it is due, and others are sent', async () => {
  const [down, up] = [destination(), destination()]
  down.fails = () => 'outage'
  const send = route({ 'a.*': down.send, default: up.send })
  const first = await send([event('1', 'a.x'), event('2', 'b.x')])
  expect(first.outage).toBeUndefined()
  expect(first.outcomes.get('1')).toMatchObject({ kind: 'postponed', reason: 'unreachable' })
  expect(kinds(first.outcomes)).toEqual({ 1: 'postponed', 2: 'accepted' })
  expect(kinds((await send([event('3', 'a.x')])).outcomes)).toEqual({ 3: 'postponed' })
  expect(down.calls, 'it rests').toBe(1)

  later()
  down.fails = undefined
  expect(kinds((await send([event('1', 'a.x'), event('3', 'a.x')])).outcomes)).toEqual({ 1: 'accepted', 3: 'accepted' })
  expect(down.got).toEqual(['1', '3'])
})

test('a destination that does not answer is tried by one send at a time', async () => {
  const [down, up] = [destination(), destination()]
  down.fails = () => 'outage'
  let answer = () => {}
  const silent: Send = async (events, maySend) => {
    if (down.calls > 0) await new Promise<void>((resolve) => (answer = resolve))
    return down.send(events, maySend)
  }
  const send = route({ 'a.*': silent, default: up.send })
  await send([event('1', 'a.x')])
  later()
  const trying = send([event('1', 'a.x')])
  expect(kinds((await send([event('2', 'a.x'), event('3', 'b')])).outcomes)).toEqual({ 2: 'postponed', 3: 'accepted' })
  answer()
  expect(kinds((await trying).outcomes)).toEqual({ 1: 'postponed' })
})

test('while every destination has an outage, so has the route: nothing is postponed', async () => {
  const [one, other] = [destination(), destination()]
  one.fails = other.fails = () => 'outage'
  const send = route({ 'a.*': one.send, default: other.send })
  expect(await send([event('1', 'a.x'), event('2', 'b')])).toEqual({ outcomes: new Map(), outage: 'unreachable' })
  later()
  // The other one is due: it may work again, so its events must not wait for this one.
  expect(kinds((await send([event('1', 'a.x')])).outcomes)).toEqual({ 1: 'postponed' })
  other.fails = undefined
  expect(kinds((await send([event('2', 'b')])).outcomes)).toEqual({ 2: 'accepted' })
})

test('an event that a destination fails at alone is to blame; one that fails at everything has an outage', async () => {
  const [picky, up] = [destination(), destination()]
  picky.fails = (events) => (events.some(({ id }) => id === 'bad') ? 'throws' : undefined)
  const send = route({ 'a.*': picky.send, default: up.send })
  const batch = [event('1', 'a.x'), event('bad', 'a.x'), event('2', 'a.x'), event('3', 'b')]
  const { outcomes } = await send(batch)
  expect(kinds(outcomes)).toEqual({ 1: 'accepted', bad: 'refused', 2: 'accepted', 3: 'accepted' })

  picky.fails = () => 'throws'
  const again = await send([event('4', 'a.x'), event('5', 'a.x'), event('6', 'b')])
  expect(kinds(again.outcomes)).toEqual({ 4: 'postponed', 5: 'postponed', 6: 'accepted' })
})

test('no call starts once the lease is over', async () => {
  const [picky, up] = [destination(), destination()]
  picky.fails = () => 'throws'
  const send = route({ 'a.*': picky.send, default: up.send })
  let asked = 0
  await send([event('1', 'a.x'), event('2', 'a.x')], () => ++asked <= 2)
  expect(picky.calls).toBe(1)
})

test('without events it says whether some destination would take them', async () => {
  const [a, b] = [destination(), destination()]
  const send = route({ a: a.send, default: b.send })
  a.fails = b.fails = () => 'outage'
  expect((await send([event('1', 'a'), event('2', 'b')])).outage).toBe('unreachable')
  later()
  expect((await send([])).outage).toBe('unreachable')
  b.fails = undefined
  later()
  expect((await send([])).outage).toBeUndefined()
})
