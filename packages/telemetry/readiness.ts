import type { Missing } from './operations-server.ts'

/** What a process looks for once, at its start, and what is said of it until it is there. */
const awaitedParts = { migrations: 'have not run yet', queue: 'not found yet', api: 'does not listen yet' } as const
export type AwaitedPart = keyof typeof awaitedParts

export interface ReadinessOptions {
  awaited: AwaitedPart[]
  /** Asks the database for a table of this service; rejects with pg's error. */
  askDatabase: () => Promise<unknown>
  stopping: AbortSignal
}

export interface Readiness {
  /** From now on these are there. */
  found(...parts: AwaitedPart[]): void
  /**
   * What the process lacks to do its job, by part. An SQS that is away later on is no reason to send nobody here:
   * products are kept and their events wait, notifications can be read, and sending and receiving resume by themselves.
   * Resolves within a second, and never rejects.
   */
  missing(): Promise<Missing>
}

/** Whoever asks for health gives up after a second or so; the answer must be there before. */
const DATABASE_TIMEOUT_MS = 800
/** PostgreSQL's code for a table that is not there: the database was replaced by one without the migrations, say. */
const UNDEFINED_TABLE = '42P01'

export function createReadiness({ awaited, askDatabase, stopping }: ReadinessOptions): Readiness {
  const waitingFor = new Set(awaited)

  async function missingOfDatabase(): Promise<Missing> {
    try {
      await withinTime(askDatabase())
      return {}
    } catch (thrown) {
      const error = thrown as Error & { code?: string }
      if (error.code !== UNDEFINED_TABLE) return { database: `can't be used: ${reasonOf(error)}` }
      return { migrations: waitingFor.has('migrations') ? awaitedParts.migrations : `are gone: ${error.message}` }
    }
  }

  return {
    found: (...parts) => parts.forEach((part) => waitingFor.delete(part)),
    async missing() {
      if (stopping.aborted) return { process: 'is shutting down' }
      const parts = await missingOfDatabase()
      for (const part of waitingFor) parts[part] = awaitedParts[part]
      return parts
    },
  }
}

/** A query may also wait for a connection, or for a network that swallows everything. */
async function withinTime(asked: Promise<unknown>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no answer within ${DATABASE_TIMEOUT_MS} ms`)), DATABASE_TIMEOUT_MS)
  await Promise.race([asked, late]).finally(() => clearTimeout(timer))
}

/** A connection tried at several addresses fails with an error whose own message is empty. */
function reasonOf(error: Error & { code?: string }): string {
  return error.message || (error.code ?? error.name)
}
