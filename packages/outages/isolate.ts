/** An item that failed while other items, or a probe, succeeded: the failure is its own. */
export interface Culprit<Item> {
  item: Item
  error: Error
}

export interface Isolation<Item> {
  /** Items of parts that succeeded. */
  done: Item[]
  culprits: Culprit<Item>[]
  /** Items without a verdict, in their order: the dependency failed, for the reason in `outage`. */
  left: Item[]
  outage?: Error
}

export interface Isolated<Item> {
  /** Does the work for all items of the part, or for none and rejects. */
  attempt: (part: readonly Item[]) => Promise<void>
  /** True when the error is the dependency's whatever the items are (see `isDatabaseOutage`). */
  isOutage: (error: Error) => boolean
  /**
   * The same work for a harmless item that leaves no trace. Asked once, before the first culprit when no part
   * succeeded.
   */
  probe: () => Promise<void>
}

/**
 * Does the work for `items`; after an error that may be one item's fault, does it in halves until the culprit is alone.
 * If a lone item fails and nothing has succeeded yet, `probe` decides: when it fails too, everything fails alike, and
 * the failure is the dependency's; when it succeeds, the item is tried once more. Costs at most about 2 · culprits ·
 * log2(items) attempts. Never rejects.
 */
export async function isolate<Item>(items: readonly Item[], work: Isolated<Item>): Promise<Isolation<Item>> {
  const { attempt, isOutage, probe } = work
  const result: Isolation<Item> = { done: [], culprits: [], left: [] }
  let itemsAreToBlame = false
  // The last part is taken next, so items are done in their order.
  const parts = [items]
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    if (part.length === 0) continue
    const error = await failureOf(() => attempt(part))
    if (error === undefined) {
      itemsAreToBlame = true
      result.done.push(...part)
      continue
    }
    const outage = isOutage(error) ? error : undefined
    if (outage === undefined && part.length > 1) {
      const middle = part.length >> 1
      parts.push(part.slice(middle), part.slice(0, middle))
      continue
    }
    const cause = outage ?? (itemsAreToBlame ? undefined : await failureOf(probe))
    if (cause !== undefined) return { ...result, left: [part, ...parts.toReversed()].flat(), outage: cause }
    // The dependency may have healed between the attempt and the probe: then nothing is to blame.
    const stillFails = itemsAreToBlame ? error : await failureOf(() => attempt(part))
    itemsAreToBlame = true
    if (stillFails === undefined) result.done.push(...part)
    else for (const item of part) result.culprits.push({ item, error: stillFails })
  }
  return result
}

/** Why the work failed; undefined when it succeeded. Never rejects. */
export async function failureOf(work: () => Promise<unknown>): Promise<Error | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
