import { UsageError } from '@product-events/terminal'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** The largest bigint has 19 digits. */
const ID = /^[0-9]{1,18}$/

/** Ids as people have them: the number of the row, or the UUID that consumers know. */
export function readIds(words: readonly string[]): { ids: string[]; eventIds: string[] } {
  const bad = words.find((word) => !ID.test(word) && !UUID.test(word))
  if (bad !== undefined)
    throw new UsageError(`${JSON.stringify(bad)} is no id: expected a number such as 42, or the event's UUID`)
  const ids = words.filter((word) => ID.test(word)).map((word) => String(BigInt(word)))
  return { ids, eventIds: words.filter((word) => UUID.test(word)).map((word) => word.toLowerCase()) }
}
