/** Reasons are for people: the first lines say it. */
const MAX_LENGTH = 1_000

/**
 * A reason that PostgreSQL can store: well-formed, without U+0000, at most 1,000 characters, none of them cut in half.
 */
export function storableReason(reason: unknown): string {
  return Array.from(
    String(reason)
      .slice(0, 2 * MAX_LENGTH)
      .toWellFormed()
      .replaceAll('\u0000', ''),
  )
    .slice(0, MAX_LENGTH)
    .join('')
}
