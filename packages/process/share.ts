/**
 * Calls `ask` once at a time, and gives its answer to all who ask while it is under way and for `forMs` after it. So a
 * flood of callers costs no more than one. A rejection is shared like an answer.
 */
export function share<Answer>(forMs: number, ask: () => Promise<Answer>): () => Promise<Answer> {
  let answer: Promise<Answer> | undefined
  let freshUntil = Infinity
  return () => {
    if (answer !== undefined && performance.now() < freshUntil) return answer
    freshUntil = Infinity
    const asked = (answer = ask())
    const answered = () => void (freshUntil = performance.now() + forMs)
    asked.then(answered, answered)
    return asked
  }
}
