import { isClosing } from './close-on-signal.ts'

/** Why a process can't start, in one line for the person who started it. It never holds a secret. */
export class StartError extends Error {}

/**
 * Runs the start of a process. A failure ends the process with code 1: a `StartError` as its one line on stderr, any
 * other error whole, since that is a bug. A start that a signal stopped just ends; the handler of the signal ends the
 * process.
 */
export async function startOrExit(start: () => Promise<void>): Promise<void> {
  try {
    await start()
  } catch (error) {
    if (isClosing()) return
    process.stderr.write(`${error instanceof StartError ? error.message : (error as Error).stack}\n`)
    process.exit(1)
  }
}

/** The error of a `listen` that failed, with the name of what listens and the variable that changes its port. */
export function describePortError(error: NodeJS.ErrnoException, what: string, port: number, variable: string): Error {
  if (error.code === 'EADDRINUSE')
    return new StartError(`port ${port} (${what}) is in use by another program; ${variable} changes it`)
  if (error.code === 'EACCES')
    return new StartError(`port ${port} (${what}) is not allowed for this user; ${variable} changes it`)
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return new StartError(`HOST is not an address of this machine, so ${what} can't listen there (${error.code})`)
  return error
}
