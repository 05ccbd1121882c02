import { harmless } from './harmless.ts'
import { listenForInterrupts } from './interrupts.ts'
import { createProgress, type Progress } from './progress.ts'
import { UsageError } from './read-arguments.ts'

/** The exit codes of every command. */
export const EXIT = { done: 0, notDone: 1, notUnderstood: 2, interrupted: 130 } as const

/** The terminal in which a command runs. */
export interface Terminal {
  /** The words after the program's name. */
  args: string[]
  stdout: (text: string) => void
  stderr: (text: string) => void
  /** Aborted by Ctrl-C. */
  signal: AbortSignal
  progress: Progress
}

/**
 * Runs a command and resolves with its exit code. A `UsageError` is 2, any other error 1, each in one line on stderr
 * that begins with the program's name; 130 after Ctrl-C unless `work` decides otherwise. Never rejects.
 */
export async function runCommand(
  name: string,
  { stderr, signal, progress }: Pick<Terminal, 'stderr' | 'signal'> & { progress?: Progress },
  work: () => Promise<number>,
): Promise<number> {
  try {
    return await work()
  } catch (error) {
    progress?.end()
    if (error instanceof UsageError) {
      stderr(`${name}: ${harmless(error.message)}. Try ${name} --help.\n`)
      return EXIT.notUnderstood
    }
    if (signal.aborted) return EXIT.interrupted
    stderr(`${name}: ${describeError(error)}\n`)
    return EXIT.notDone
  } finally {
    progress?.end()
  }
}

/**
 * Runs a command as this process: its words, its streams, Ctrl-C. Ends the process once its output is written: a frozen
 * server never confirms that a connection is closed.
 */
export async function runProcess(name: string, main: (terminal: Terminal) => Promise<number>): Promise<void> {
  const interrupts = listenForInterrupts()
  const stderr = (text: string) => void process.stderr.write(text)
  const terminal: Terminal = {
    args: process.argv.slice(2),
    stdout: (text) => void process.stdout.write(text),
    stderr,
    signal: interrupts.signal,
    progress: createProgress(stderr, process.stderr.isTTY),
  }
  // `| head` closes the pipe: the reader has what it wanted.
  process.stdout.on('error', () => process.exit(EXIT.done))
  const code = await runCommand(name, terminal, () => main(terminal))
  interrupts.close()
  await Promise.all([process.stdout, process.stderr].map(written))
  process.exit(code)
}

/** Resolves once the reader has taken all, or is gone. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()))
}

/** An error of our own code: only its stack says where. */
const BUGS = ['TypeError', 'ReferenceError', 'RangeError', 'SyntaxError']

/** One line that says what failed; the stack as well if the error is a bug of ours. */
export function describeError(thrown: unknown): string {
  if (!(thrown instanceof Error)) return harmless(String(thrown))
  if (BUGS.includes(thrown.name) && thrown.cause === undefined)
    return (thrown.stack ?? '').split('\n').map(harmless).join('\n')
  // A host with several addresses fails with one error for each, and has no message itself.
  const parts = thrown instanceof AggregateError ? thrown.errors.map((error) => (error as Error).message) : []
  const text = thrown.message || parts.join('; ') || (thrown as { code?: string }).code || thrown.name
  return text.split('\n').map(harmless).join('\n')
}
