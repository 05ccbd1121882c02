import { share } from './share.ts'

/** Missing parts without which the process can't work, each with the reason: `{}` when none is. */
export type Missing = Record<string, string>

/** A part that a process looks for once, at its start, and that is reported until it is found. */
const awaitedParts = { migrations: 'have not run yet', queue: 'not found yet', api: 'does not listen yet' } as const
export type AwaitedPart = keyof typeof awaitedParts

export interface ReadinessOptions {
  awaited: AwaitedPart[]
  /** Resolves with why the database can't do its job; rejects with pg's error. */
  askDatabase: () => Promise<string | undefined>
  stopping: AbortSignal
}

export interface Readiness {
  /** From now on these parts are there. */
  found(...parts: AwaitedPart[]): void
  /**
   * From now on `failing` is asked as well: why a part of the process does none of its work, undefined while it does.
   */
  watch(part: string, failing: () => string | undefined): void
  /** The parts that were not found since the start. Makes no request. */
  notStarted(): Missing
  /**
   * What the process lacks to do its job. An unreachable SQS is no reason to send no requests: products are stored and
   * their events wait, and sending and receiving resume automatically. Resolves within a second; never rejects.
   */
  missing(): Promise<Missing>
}

/** Probes give up after a second; the answer must be there before. */
export const HEALTH_QUERY_MS = 800
/** However many probes there are, the database is asked once a second. */
const SHARED_FOR_MS = 1_000
/** SQLSTATE of a table that does not exist: the database was replaced by one without the migrations, for example. */
const UNDEFINED_TABLE = '42P01'

export function createReadiness({ awaited, askDatabase, stopping }: ReadinessOptions): Readiness {
  const waitingFor = new Set(awaited)
  const watched: { part: string; failing: () => string | undefined }[] = []

  async function missingOfDatabase(): Promise<Missing> {
    try {
      const fault = await withinTime(askDatabase())
      return fault === undefined ? {} : { database: fault }
    } catch (thrown) {
      const error = thrown as Error & { code?: string }
      if (error.code !== UNDEFINED_TABLE) return { database: `can't be used: ${reasonOf(error)}` }
      return waitingFor.has('migrations') ? {} : { migrations: `are gone: ${error.message}` }
    }
  }
  const ofDatabase = share(SHARED_FOR_MS, missingOfDatabase)

  function notStarted(): Missing {
    if (stopping.aborted) return { process: 'is shutting down' }
    return Object.fromEntries([...waitingFor].map((part) => [part, awaitedParts[part]]))
  }

  function missingOfWatched(): Missing {
    const failing = watched.map(({ part, failing }) => [part, failing()] as const)
    return Object.fromEntries(failing.filter((entry): entry is [string, string] => entry[1] !== undefined))
  }

  return {
    watch: (part, failing) => void watched.push({ part, failing }),
    found: (...parts) => parts.forEach((part) => waitingFor.delete(part)),
    notStarted,
    async missing() {
      if (stopping.aborted) return notStarted()
      return { ...missingOfWatched(), ...(await ofDatabase()), ...notStarted() }
    },
  }
}

/** A query may also wait for a connection, or for a network that drops every packet. */
async function withinTime<Answer>(asked: Promise<Answer>): Promise<Answer> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no answer within ${HEALTH_QUERY_MS} ms`)), HEALTH_QUERY_MS)
  return Promise.race([asked, late]).finally(() => clearTimeout(timer))
}

/** A connection tried at several addresses fails with an error whose own message is empty. */
function reasonOf(error: Error & { code?: string }): string {
  return error.message || (error.code ?? error.name)
}
