/**
 * Opens a connection of its own that listens to `channel`: `pgListen(config)`, or another function of this type. Calls
 * `notification` with each payload, and `lost` when the connection breaks; the relay then opens the next one. Resolves,
 * once it listens, with the function that closes the connection. Rejects within seconds when it can't be opened.
 */
export type Listen = (
  channel: string,
  heard: { notification(payload: string): void; lost(): void },
) => Promise<() => unknown>

/**
 * The longest name of a channel, in bytes: NAMEDATALEN - 1. PostgreSQL refuses a longer one, or cuts it where it is an
 * identifier.
 */
const MAX_CHANNEL_BYTES = 63

/**
 * The channel on which relays of the outbox in `schema` are woken: `outbox_` and the name of the schema, cut to 63
 * bytes. Two long names that become one only wake a relay too often.
 */
export function channelOf(schema = 'public'): string {
  let channel = ''
  for (const character of `outbox_${schema}`) {
    if (Buffer.byteLength(channel + character) > MAX_CHANNEL_BYTES) break
    channel += character
  }
  return channel
}
