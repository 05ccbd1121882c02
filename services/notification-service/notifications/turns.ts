/** Runs work when it is its turn, at most `limit` at once, in the order of the calls. */
export function createTurns(limit: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = []
  let running = 0

  return async (work) => {
    if (running === limit) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await work()
    } finally {
      // The place goes to the next one: `running` stays as it is.
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
