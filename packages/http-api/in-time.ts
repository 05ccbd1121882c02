/** Above the sum of what single steps may take, and below what a caller or a balancer waits for. */
const ANSWER_WITHIN_MS = 6_000

/** A request waited too long, for whatever reason. */
export class TooLate extends Error {}

/** The result of `work`, which is what a request waits for, or a rejection (503 to the caller) after six seconds. */
export async function inTime<Result>(work: Promise<Result>): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(new TooLate(`a request was not done within ${ANSWER_WITHIN_MS} ms`)),
    ANSWER_WITHIN_MS,
  )
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
