/**
 * The first thing that a program runs. It imports nothing, so that a signal finds a handler within the first moments.
 */

/**
 * Runs the program that `load` imports. A SIGTERM or SIGINT that comes before the program handles signals itself ends
 * the process with 0: nothing is open yet. With `--version` it prints name and version, and loads nothing.
 */
export async function runProgram(
  { name, version }: { name: string; version: string },
  load: () => Promise<unknown>,
): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0))
  if (process.argv.includes('--version')) {
    process.stdout.write(`${name} ${version}\n`)
    return
  }
  await load()
}
