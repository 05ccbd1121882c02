import { EXIT, harmless, type Program, readProgram, UsageError, type Values } from '@product-events/terminal'

/** The options of a long test, `npm run <name>`. Ends the process after `--help`, or when they make no sense. */
export function readOptions<const P extends Program>(program: P): Values<P['options']> {
  const line = understand(program)
  if (line.kind === 'run') return line.options
  process.stdout.write(line.text)
  return process.exit(EXIT.done)
}

function understand<const P extends Program>(program: P) {
  try {
    return readProgram(program, process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`${program.name}: ${harmless(error.message)}. Try --help.\n`)
    return process.exit(EXIT.notUnderstood)
  }
}
