import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface PseudoTerminal {
  /** Everything that was shown so far. */
  shown: () => string
  /** Types keys: `\x03` is Ctrl-C, which the terminal sends as a signal to the program in front. */
  type: (keys: string) => void
  /** Resolves once `what` was shown; rejects when the program ends before. */
  until: (what: RegExp | string) => Promise<void>
  /** The exit code of the command. */
  ended: Promise<number>
  kill: () => void
}

/**
 * Runs a shell command in a pseudo-terminal of Debian's `script`, as a person would: stdin, stdout, stderr are its own.
 */
export function inPseudoTerminal(
  command: string,
  { cwd, env = process.env }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): PseudoTerminal {
  // exec: a shell that waits would answer for the signal itself. --return: the exit code of the command; --quiet: no
  // header; the record itself goes nowhere.
  const child = spawn('script', ['--return', '--quiet', '--command', `exec ${command}`, '/dev/null'], {
    cwd,
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let shown = ''
  const seen = new Set<() => void>()
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString()
    for (const look of seen) look()
  })
  const ended = once(child, 'close').then(([code]) => (code as number | null) ?? 1)
  return {
    shown: () => shown,
    type: (keys) => child.stdin.write(keys),
    async until(what) {
      const isShown = () => (typeof what === 'string' ? shown.includes(what) : what.test(shown))
      const found = new Promise<void>((resolve) => {
        const look = () => {
          if (!isShown()) return
          seen.delete(look)
          resolve()
        }
        seen.add(look)
        look()
      })
      await Promise.race([found, ended])
      if (!isShown()) throw new Error(`the program ended before ${String(what)} was shown:\n${shown}`)
    },
    ended,
    kill: () => child.kill('SIGKILL'),
  }
}
