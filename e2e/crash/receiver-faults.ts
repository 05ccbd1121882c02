import type { Harm, Strike } from './harm.ts'

/** Nothing to lift: an endpoint keeps its behaviour until it gets another. */
export function receiverFaults({ stack, random, count }: Harm): Strike[] {
  return [
    async () => {
      stack.receivers.misbehave(Math.floor(random.next() * 2 ** 31))
      count('hostile receiver')
    },
  ]
}
