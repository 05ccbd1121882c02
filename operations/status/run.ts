import { setTimeout as sleep } from 'node:timers/promises'
import { type Instance, PATIENCE_MS } from './scrape.ts'
import { screen } from './screen.ts'
import { lookAtAll, type Status, statusOf } from './status.ts'
import { NOT_ASKED, readTruth, type TruthSources } from './truth.ts'
import { harmlessJson } from '@product-events/terminal'

/** Between two looks: short enough to wait for, long enough for a rate that means something. */
const WINDOW_MS = 2_000
/** The second look ends when the first one would: the screen is there after five seconds, whatever is frozen. */
const SECOND_PATIENCE_MS = PATIENCE_MS - WINDOW_MS

const ENTER = '\x1b[?1049h\x1b[?25l'
const LEAVE = '\x1b[?25h\x1b[?1049l'
/** To the top; the second clears the rest of each line, and the third all below the last. */
const HOME = '\x1b[H'
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'

export interface Output {
  write: (text: string) => void
  /** Whether colours are wanted. */
  colours: boolean
  /** Whether it is a terminal that can be drawn on again; on others one screen follows another. */
  redraws: boolean
}

export interface StatusOptions {
  instances: Instance[]
  /** PostgreSQL and SQS; undefined when nothing says where they are. */
  sources?: TruthSources | undefined
  watch: boolean
  json: boolean
  output: Output
  /** Ends a watch, and a single look before its time. */
  signal: AbortSignal
}

/**
 * Shows the status once, or until `signal` aborts. Resolves with 0 when the last look found nothing wrong, or with 1.
 */
export async function runStatus({ instances, sources, watch, json, output, signal }: StatusOptions): Promise<0 | 1> {
  const redraws = watch && !json && output.redraws
  let status: Status | undefined
  if (redraws) output.write(ENTER + HOME + 'One moment: rates need two looks.\n')
  try {
    const askSources = () => (sources ? readTruth(sources) : NOT_ASKED)
    // Not awaited: all timeouts begin now, since an answer after two of them comes too late.
    let earlier = lookAtAll(instances, signal)
    const first = askSources()
    do {
      // Rejects only on Ctrl-C, which is looked for below.
      await sleep(WINDOW_MS, undefined, { signal }).catch(() => {})
      const [before, after, truth] = await Promise.all([
        earlier,
        lookAtAll(instances, signal, SECOND_PATIENCE_MS),
        status ? askSources() : first,
      ])
      if (signal.aborted) break
      status = statusOf(before, after, truth)
      earlier = Promise.resolve(after)
      output.write(show(status))
    } while (watch)
  } finally {
    if (redraws) output.write(LEAVE + (status ? screen(status, output.colours) : ''))
  }
  return status?.ok ? 0 : 1

  function show(now: Status): string {
    if (json) return `${harmlessJson(now, watch ? undefined : 2)}\n`
    const text = screen(now, output.colours)
    if (redraws) return HOME + text.replaceAll('\n', `${CLEAR_LINE}\n`) + CLEAR_BELOW
    return watch ? `${text}\n` : text
  }
}
