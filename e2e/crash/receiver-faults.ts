import type { Harm, Strike } from './harm.ts'

/** Nothing to lift: whatever an endpoint does, it does until it does something else. */
export function receiverFaults({ stack, random, count }: Harm): Strike[] {
  return [
    async () => {
      stack.receivers.misbehave(Math.floor(random.next() * 2 ** 31))
      count('hostile receiver')
    },
  ]
}
