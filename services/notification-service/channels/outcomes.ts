import { cut, printable } from './printable.ts'

/** A receiver's own words (a certificate's names, the answer of a mail server) may be of any length. */
const LONGEST_REASON = 300

/** This try failed; the delivery is retried. */
export function refused(reason: string): { kind: 'refused'; reason: string } {
  return { kind: 'refused', reason: printable(cut(reason, LONGEST_REASON)) }
}

/** No try can succeed: the delivery is abandoned. */
export function unacceptable(reason: string): { kind: 'unacceptable'; reason: string } {
  return { kind: 'unacceptable', reason: printable(cut(reason, LONGEST_REASON)) }
}
