import type { Message } from '@aws-sdk/client-sqs'
import type { Delivery, EventWay, FailedMessage, LaneOwner, OutboxRow, Place } from './found.ts'
import { type Lane, readLane } from './outbox-rows.ts'
import type { Look } from './sources.ts'

/** What is known of an event before its place is decided. */
export type Known = Pick<EventWay, 'event_id' | 'row' | 'notification' | 'failure' | 'deliveries'>

/**
 * A message travels in milliseconds. One that is nowhere this long after it was published, with an empty queue, is
 * lost.
 */
const LOST_AFTER_MS = 120_000

/** Decides where an event is, asking further only as far as the answer depends on it. */
export async function placeOf(known: Known, look: Look): Promise<Place> {
  const { row, notification, failure, deliveries } = known
  if (notification) return afterStore(deliveries, look)
  if (row?.status === 'dead') return { at: 'outbox', state: 'dead', attempts: row.attempts, last_error: row.last_error }
  if (row?.status === 'failed') {
    const { attempts, last_error, next_attempt_at } = row
    return { at: 'outbox', state: 'failed', attempts, last_error, next_attempt_at }
  }
  if (row?.status === 'pending') return pendingPlace(row, look)
  return publishedPlace(known, row, failure, look)
}

function afterStore(deliveries: Delivery[], look: Look): Place {
  if (look.missing.some(({ source }) => source === 'notifications'))
    return { at: 'unknown', missing: ['notifications'] }
  const open = deliveries.filter(({ status }) => status !== 'processed')
  if (open.length === 0) return { at: 'notified' }
  const state = open.some(({ status }) => status === 'dead')
    ? 'abandoned'
    : open.some(({ status }) => status === 'failed')
      ? 'retrying'
      : 'delivering'
  return { at: 'channels', state, deliveries: open }
}

async function pendingPlace(row: OutboxRow, look: Look): Promise<Place> {
  const lane = await look.ask('products', (db) => readLane(db, row))
  if (!lane) return { at: 'unknown', missing: ['products'] }
  if (lane.blocked_by !== null) {
    const by = { id: lane.blocked_by, last_error: lane.blocked_error, next_attempt_at: lane.blocked_until }
    return { at: 'outbox', state: 'blocked', by }
  }
  return { at: 'outbox', state: 'pending', owner: ownerOf(lane), ahead: lane.ahead, sqs: await look.depth() }
}

function ownerOf({ relay, lease_seconds: left }: Lane): LaneOwner {
  if (relay === null || left === null) return { kind: 'free' }
  return left > 0 ? { kind: 'owned', relay, lease_seconds: left } : { kind: 'lease-over', relay, since_seconds: -left }
}

/** It has left the outbox, and no notification of it is stored. */
async function publishedPlace(
  { event_id }: Known,
  row: OutboxRow | null,
  failure: FailedMessage | null,
  look: Look,
): Promise<Place> {
  const silent = look.missing.map(({ source }) => source).filter((source) => source !== 'sqs')
  if (silent.length > 0) return { at: 'unknown', missing: silent }
  const maxReceives = await look.maxReceives()
  const sqs = await look.depth()
  const dead = await look.deadLetters()
  const letter = dead.find((message) => eventIdOf(message) === event_id || message.MessageId === failure?.message_id)
  if (letter) {
    const reason = failure?.reason ?? null
    return { at: 'dead-letter-queue', message_id: letter.MessageId ?? '', seen: true, reason }
  }
  if (failure && failure.failures < maxReceives)
    return { at: 'queue', state: 'failing', failure, max_receives: maxReceives }
  if (failure) return { at: 'dead-letter-queue', message_id: failure.message_id, seen: false, reason: failure.reason }
  if (sqs.kind !== 'depth') return { at: 'unknown', missing: ['sqs'] }
  const { visible, in_flight, delayed } = sqs.queue
  const isEmpty = visible + in_flight + delayed === 0
  const publishedMs = Date.now() - (row?.processed_at?.getTime() ?? 0)
  if (isEmpty && publishedMs > LOST_AFTER_MS) return { at: 'lost' }
  return { at: 'queue', state: 'waiting', sqs }
}

/** The `id` of the event in a message's body; null if it is none. */
export function eventIdOf({ Body }: Message): string | null {
  try {
    const { id } = JSON.parse(Body ?? '') as { id?: unknown }
    return typeof id === 'string' ? id.toLowerCase() : null
  } catch {
    return null
  }
}
