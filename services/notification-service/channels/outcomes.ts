import { harmless } from '@product-events/terminal'

/** A receiver's own words (a certificate's names, the answer of a mail server) may be of any length. */
const LONGEST_REASON = 300

/** This try failed; the delivery is retried. */
export function refused(reason: string): { kind: 'refused'; reason: string } {
  return { kind: 'refused', reason: shown(reason) }
}

/** No try can succeed: the delivery is abandoned. */
export function unacceptable(reason: string): { kind: 'unacceptable'; reason: string } {
  return { kind: 'unacceptable', reason: shown(reason) }
}

/** Cut by code points: half of a surrogate pair would be refused by the database. */
function shown(reason: string): string {
  return harmless(
    Array.from(reason.slice(0, 2 * LONGEST_REASON))
      .slice(0, LONGEST_REASON)
      .join(''),
  )
}
