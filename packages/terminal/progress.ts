import { harmless } from './harmless.ts'
import { duration } from './table.ts'

/** A command that is done sooner says nothing of its progress. */
const SILENT_MS = 2_000
const REDRAW_MS = 250
/** In a log file or a pipe nothing can be drawn over: seldom enough to read. */
const LINE_MS = 10_000
const CLEAR_LINE = '\r\x1b[K'

export interface Progress {
  /** Shows the current step of the command: "looked at 200 messages". */
  now: (text: string) => void
  /** Takes the line away. Nothing is shown afterwards. */
  end: () => void
}

/**
 * Shows what a command is doing once it takes longer than two seconds, on stderr: one line that is drawn over on a
 * terminal, a line every ten seconds elsewhere.
 */
export function createProgress(stderr: (text: string) => void, isTerminal: boolean): Progress {
  const started = performance.now()
  let text = ''
  let drawn = false
  const show = () => {
    if (text === '') return
    const line = `${harmless(text)} (${duration((performance.now() - started) / 1000)})`
    stderr(isTerminal ? CLEAR_LINE + line : `${line}\n`)
    drawn = true
  }
  let repeating: NodeJS.Timeout | undefined
  const first = setTimeout(() => {
    show()
    repeating = setInterval(show, isTerminal ? REDRAW_MS : LINE_MS)
    repeating.unref()
  }, SILENT_MS)
  // A progress line must not keep a finished command alive.
  first.unref()
  return {
    now: (what) => (text = what),
    end() {
      clearTimeout(first)
      clearInterval(repeating)
      text = ''
      if (drawn && isTerminal) stderr(CLEAR_LINE)
    },
  }
}
