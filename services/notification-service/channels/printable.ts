/**
 * Characters that change how text around them is shown, or that a terminal obeys: controls (C0, DEL, C1), line and
 * paragraph separators, bidirectional controls, zero-width and other invisible format characters, lone surrogates.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
/** Joins emoji and letters of several scripts into one character: harmless, and missed when it is gone. */
const ZERO_WIDTH_JOINERS = new Set(['\u200c', '\u200d'])

/** `text` on one line, as it is shown to people: what is unprintable is written as `\u{1b}`. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) =>
    ZERO_WIDTH_JOINERS.has(character) ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
}

/** The first `length` code points of `text`, so no pair of surrogates is cut in half. */
export function cut(text: string, length: number): string {
  const points = Array.from(text.slice(0, 2 * length))
  return points.length > length ? points.slice(0, length).join('') : text
}
