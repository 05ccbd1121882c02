import type { OutboxEvent } from '@product-events/outbox'
import { Registry } from '@product-events/telemetry'
import { expect, test } from 'vitest'
import type { DeliveryOutcome } from './delivery.ts'
import { createEndpointWatch } from './endpoint-watch.ts'
import { createChannelMetrics } from './metrics.ts'
import { type Channel, sendToChannels, type SendOptions } from './send-to-channels.ts'

function event(endpoint: string, headers: Record<string, string> = {}): OutboxEvent {
  const fixed = { id: '1', eventId: 'e', key: 'k', lane: 0, type: 't', payload: '{}', createdAt: new Date() }
  return { ...fixed, attempts: 0, redriven: 0, headers: { channel: 'webhook', endpoint, ...headers } }
}

function channel(endpoint: string, deliver: () => Promise<DeliveryOutcome>): Channel {
  return { channel: 'webhook', endpoint, deliver }
}

const broken = () => {
  throw new Error('an observer is broken')
}

async function sendOne(channels: Channel[], sent: OutboxEvent, options: Partial<SendOptions> = {}) {
  const send = sendToChannels({
    channels,
    disabled: { names: () => Promise.resolve(new Set<string>()), add: () => Promise.resolve(true) },
    metrics: createChannelMetrics(new Registry(), channels),
    watchOf: () => ({ accepted: () => {}, refused: () => {}, close: () => {} }),
    onUnknown: () => {},
    onDisabled: () => {},
    ...options,
  })
  const { outcomes, outage } = await send([sent])
  expect(outage).toBeUndefined()
  return outcomes.get('1')
}

test('metrics and log lines that throw change no outcome', async () => {
  const observers: Partial<SendOptions> = {
    metrics: { tried: broken, disabled: broken },
    watchOf: () => ({ accepted: broken, refused: broken, close: broken }),
    onUnknown: broken,
    onDisabled: broken,
  }
  const outcomeOf = (outcome: DeliveryOutcome) =>
    sendOne([channel('erp', () => Promise.resolve(outcome))], event('erp'), observers)
  expect(await outcomeOf({ kind: 'accepted' })).toEqual({ kind: 'accepted' })
  expect(await outcomeOf({ kind: 'refused', reason: 'no' })).toEqual({ kind: 'refused', reason: 'no' })
  expect(await outcomeOf({ kind: 'gone', reason: '410' })).toMatchObject({ kind: 'unacceptable' })
  expect(await sendOne([], event('other'), observers)).toMatchObject({ kind: 'refused' })
})

test('an exception of ours is the failure of its delivery, not an outage of all', async () => {
  expect(await sendOne([channel('erp', broken)], event('erp'))).toEqual({
    kind: 'refused',
    reason: 'an error in notification-service: an observer is broken',
  })
})

test('a delivery to a recipient who is not configured any more is refused by name', async () => {
  const mail: Channel = {
    ...channel('smtp', () => Promise.resolve({ kind: 'accepted' })),
    recipients: ['a@example.com'],
  }
  expect(await sendOne([mail], event('smtp', { recipient: 'a@example.com' }))).toEqual({ kind: 'accepted' })
  expect(await sendOne([mail], event('smtp', { recipient: 'b@example.com' }))).toMatchObject({
    kind: 'refused',
    reason: expect.stringContaining('b@example.com is not a recipient') as string,
  })
})

test('an endpoint that refuses and accepts in turn is reported once when it begins, and once when it has recovered', async () => {
  const reports: string[] = []
  const watch = createEndpointWatch(
    { refuses: (reason) => reports.push(reason), acceptsAgain: () => reports.push('again') },
    50,
  )
  for (let round = 0; round < 20; round++) {
    watch.refused(`it answered 50${round}`)
    watch.accepted()
  }
  expect(reports).toEqual(['it answered 500'])
  await expect.poll(() => reports, { timeout: 10_000 }).toEqual(['it answered 500', 'again'])
  watch.accepted()
  watch.refused('it answered 503')
  expect(reports).toEqual(['it answered 500', 'again', 'it answered 503'])
  watch.close()
})
