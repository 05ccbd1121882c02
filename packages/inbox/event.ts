import { hash } from 'node:crypto'

/** An event as a consumer sees it, whatever message carried it here. */
export interface InboxEvent<Type extends string = string, Payload = unknown> {
  /** The same in every message of the event: the inbox recognises a duplicate by it. 1 to 255 characters. */
  id: string
  type: Type
  payload: Payload
  /** The thing that changed, such as `order-7`. Events of one key that arrive together are handled by `sequence`. */
  key?: string
  /** Decimal digits that grow with every event of the key. */
  sequence?: string
}

/** The union of events that a map from type to payload describes. */
export type EventOf<Events> = {
  [Type in keyof Events & string]: InboxEvent<Type, Events[Type]>
}[keyof Events & string]

/** The verdict on a message. An `invalid` one is never handled and ends in the dead-letter queue. */
export type Parsed<Event> = { kind: 'event'; event: Event } | { kind: 'invalid'; reason: string }

/** A message of SQS, as a receive or a Lambda invocation brings it. */
export interface Message {
  MessageId?: string | undefined
  ReceiptHandle?: string | undefined
  Body?: string | undefined
  Attributes?: Readonly<Record<string, string>> | undefined
  MessageAttributes?: Readonly<Record<string, MessageAttribute>> | undefined
}

export interface MessageAttribute {
  DataType?: string | undefined
  StringValue?: string | undefined
  BinaryValue?: Uint8Array | undefined
}

/**
 * What an event says, as a number of 64 bits in decimal digits: a message with the same id and another hash is no
 * duplicate. The order of the fields does not matter, nor does the spelling of `id`.
 */
export function contentHash(event: InboxEvent): string {
  const { type, key = null, sequence = null, payload } = event
  return hash('sha256', canonical([type, key, sequence, payload]), 'buffer')
    .readBigInt64BE()
    .toString()
}

/** Events of one key by sequence, in the places that events of this key have; events without a sequence stay. */
export function inSequence<Item>(items: readonly Item[], eventOf: (item: Item) => InboxEvent): Item[] {
  const byKey = new Map<string, Item[]>()
  for (const item of items) {
    const { key, sequence } = eventOf(item)
    if (key === undefined || sequence === undefined) continue
    const ofKey = byKey.get(key)
    if (ofKey) ofKey.push(item)
    else byKey.set(key, [item])
  }
  for (const ofKey of byKey.values())
    ofKey.sort((one, other) => compareSequences(eventOf(one).sequence ?? '', eventOf(other).sequence ?? ''))
  return items.map((item) => {
    const { key, sequence } = eventOf(item)
    if (key === undefined || sequence === undefined) return item
    return byKey.get(key)?.shift() ?? item
  })
}

/** Sequences are decimal digits without leading zeros, too long for a number. */
export function compareSequences(one: string, other: string): number {
  return one.length - other.length || (one < other ? -1 : Number(one > other))
}

/** JSON with sorted keys. A payload that is nested too deeply throws a `RangeError`. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  const fields = value as Record<string, unknown>
  let json = '{'
  for (const key of Object.keys(fields).toSorted(byText)) json += `${JSON.stringify(key)}:${canonical(fields[key])},`
  return `${json}}`
}

function byText(one: string, other: string): number {
  return one < other ? -1 : 1
}

/** Seconds that a message was in the queue until now, its first receive; undefined when it was received before. */
export function waitSeconds({ Attributes }: Message): number | undefined {
  if (Attributes?.ApproximateReceiveCount !== '1' || Attributes.SentTimestamp === undefined) return undefined
  return (Date.now() - Number(Attributes.SentTimestamp)) / 1000
}
