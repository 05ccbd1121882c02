export interface BatcherOptions<Item, Result> {
  /**
   * Does the work of all items by one statement or transaction, and resolves with their results in the same
   * order. When it rejects, nothing of it was done, or the outcome is unknown.
   */
  run: (items: Item[]) => Promise<Result[]>
  /** Most items in one run. */
  maxItems: number
  /**
   * Most bytes in one run, and how many an item has. A single item may have more. Without it only items are counted.
   */
  bytes?: { of: (item: Item) => number; most: number }
  /** Most runs at once: beside one that is under way only full ones start. */
  maxInFlight: number
  /** Most items that wait for a run. More are refused. */
  maxWaiting: number
  /** An item that has waited longer than this is refused: its caller is about to give up. */
  maxWaitMs: number
  /** The error of a refused item. */
  refusal: () => Error
  /** Whether one item alone may have made a run fail, and nothing was done: see `createBatcher`. */
  isFaultOfOne: (error: unknown) => boolean
}

interface Waiting<Item, Result> {
  item: Item
  since: number
  resolve: (result: Result) => void
  reject: (error: unknown) => void
}

/**
 * Lets calls that arrive together share a run, each answered only after it: for writes, group commit. A lone call waits
 * for nobody: when no run is under way, one starts at once with all that is there. What arrives meanwhile waits for its
 * end, or until there is enough of it to fill another.
 *
 * No call joins a run that has begun, so a read sees all that was committed before it was asked for.
 *
 * One item that fails must not fail its neighbours: after an error that may be one item's fault the run is done again
 * in halves, until the item is alone with its error. Any other error (the connection broke, say) is that of all: what
 * became of a commit whose answer was lost is unknown, so it is not tried again.
 */
export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): (item: Item) => Promise<Result> {
  const { run, maxItems, bytes, maxInFlight, maxWaiting, maxWaitMs, refusal, isFaultOfOne } = options
  const waiting: Waiting<Item, Result>[] = []
  let inFlight = 0
  let scheduled = false

  /** A second run starts only when it is full: before that it is better off with what arrives while the first ends. */
  function mayStart(): boolean {
    if (inFlight === 0) return waiting.length > 0
    return inFlight < maxInFlight && waiting.length >= maxItems
  }

  /** After the requests that have arrived are read, and before waiting for more. */
  function schedule(): void {
    if (scheduled || !mayStart()) return
    scheduled = true
    setImmediate(start)
  }

  function start(): void {
    scheduled = false
    const tooOld = performance.now() - maxWaitMs
    const firstInTime = waiting.findIndex(({ since }) => since >= tooOld)
    for (const { reject } of waiting.splice(0, firstInTime === -1 ? waiting.length : firstInTime)) reject(refusal())
    while (mayStart()) void occupySlot(waiting.splice(0, countForOneRun()))
  }

  function countForOneRun(): number {
    if (!bytes) return maxItems
    let left = bytes.most
    const firstTooMany = waiting.slice(0, maxItems).findIndex(({ item }) => (left -= bytes.of(item)) < 0)
    return firstTooMany === -1 ? maxItems : Math.max(1, firstTooMany)
  }

  async function occupySlot(batch: Waiting<Item, Result>[]): Promise<void> {
    inFlight++
    await settle(batch)
    inFlight--
    schedule()
  }

  async function settle(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await run(batch.map(({ item }) => item))
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result)
    } catch (error) {
      if (batch.length > 1 && isFaultOfOne(error)) {
        const half = batch.length >> 1
        await settle(batch.slice(0, half))
        await settle(batch.slice(half))
      } else {
        for (const { reject } of batch) reject(error)
      }
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      if (waiting.length >= maxWaiting) return reject(refusal())
      waiting.push({ item, since: performance.now(), resolve, reject })
      schedule()
    })
}
