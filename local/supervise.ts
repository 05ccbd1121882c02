import { isGone, type Part } from './child.ts'

/** Why everything is to stop. */
export type End =
  { kind: 'signal'; signal: NodeJS.Signals } | { kind: 'died'; part: Part } | { kind: 'failed'; error: Error }

/**
 * One Ctrl-C arrives twice: from the terminal, and from npm, which passes it on. A signal that comes later than this is
 * a second press, of a person who does not want to wait.
 */
const SAME_KEYPRESS_MS = 1_000

export interface Supervisor {
  /** Settles on the first signal or death of a part; nothing may be started afterwards. */
  ended: Promise<End>
  /** Aborted when `ended` settles. */
  signal: AbortSignal
  /** Starts a part and watches over it. Parts of a later stage are stopped first. */
  start<P extends Part>(stage: number, start: () => P | Promise<P>): Promise<P>
  /** Watches over a part no more: the caller ends it, and may start another one in its place. */
  release(part: Part): void
  /** Stops everything, stage by stage, waiting for what is just starting. A second signal kills what is left. */
  stop(): Promise<void>
}

/** Takes over SIGINT, SIGTERM and SIGHUP. */
export function supervise(): Supervisor {
  const stages: Promise<Part>[][] = []
  const running = new Set<Part>()
  const abort = new AbortController()
  const { promise: ended, resolve } = Promise.withResolvers<End>()
  let since = 0

  function end(why: End): void {
    since ||= Date.now()
    abort.abort(new Error('stopping'))
    resolve(why)
  }

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (since && Date.now() - since > SAME_KEYPRESS_MS) {
        for (const part of running) part.kill()
        process.exit(1)
      }
      end({ kind: 'signal', signal })
    })
  }
  // The reader of the output has closed the pipe.
  process.stdout.on('error', () => end({ kind: 'signal', signal: 'SIGHUP' }))

  return {
    ended,
    signal: abort.signal,
    async start(stage, start) {
      abort.signal.throwIfAborted()
      const starting = Promise.resolve(start())
      ;(stages[stage] ??= []).push(starting)
      const part = await starting
      running.add(part)
      const gone = () => {
        if (running.delete(part)) end({ kind: 'died', part })
      }
      if (isGone(part.process)) gone()
      // Not 'exit': what it said last is still on its way then.
      else part.process.once('close', gone)
      return part
    },
    release: (part) => void running.delete(part),
    async stop() {
      for (const parts of stages.toReversed()) {
        await Promise.allSettled((parts ?? []).map((starting) => starting.then((part) => part.stop())))
      }
    },
  }
}
