import { type Instance, type Look, scrape } from './scrape.ts'
import { type Step, stepsOf } from './steps.ts'
import { NOT_ASKED, type Truth } from './truth.ts'
import { windowOf } from './window.ts'

/** The knowledge about a deployment at one moment. */
export interface Status {
  at: string
  /** Nothing is wrong, and nothing is unknown. */
  ok: boolean
  /** Steps whose state no source that answers knows. */
  unknown: string[]
  /** Whether PostgreSQL and SQS were asked, too. */
  asked: boolean
  processes: {
    service: string
    url: string
    health: 'ready' | 'not ready' | 'no answer'
    /** Why not, by part; of a process that does not answer, why not as `process`. */
    missing: Record<string, string>
  }[]
  steps: Step[]
  /** Since the processes were started. */
  totals: Record<'created' | 'updated' | 'deleted' | 'notified' | 'duplicates', number | null>
  /** All that is wrong, a sentence each. */
  problems: string[]
}

export function lookAtAll(instances: Instance[], signal: AbortSignal, patienceMs?: number): Promise<Look[]> {
  return Promise.all(instances.map((instance) => scrape(instance, signal, patienceMs)))
}

/**
 * Rates and delays are those between the two looks; what waits and fails is what PostgreSQL and SQS say, if they were
 * asked.
 */
export function statusOf(before: Look[], after: Look[], truth: Truth = NOT_ASKED): Status {
  const steps = stepsOf(before, after, truth)
  const unknown = steps.filter(({ health }) => health === 'unknown').map(({ name }) => name)
  const problems = [...after.flatMap(problemOf), ...steps.flatMap(({ problems }) => problems)]
  const { sum } = windowOf(before, after)
  return {
    at: new Date().toISOString(),
    ok: problems.length === 0 && unknown.length === 0,
    unknown,
    asked: truth !== NOT_ASKED,
    processes: after.map((look) => {
      const { service, url } = look
      if (look.kind === 'silent') return { service, url, health: 'no answer', missing: { process: look.reason } }
      const ready = Object.keys(look.missing).length === 0
      return { service, url, health: ready ? 'ready' : 'not ready', missing: look.missing }
    }),
    steps,
    totals: {
      created: sum('products_created_total') ?? null,
      updated: sum('products_updated_total') ?? null,
      deleted: sum('products_deleted_total') ?? null,
      notified: sum('notifications_total') ?? null,
      duplicates: sum('notifications_duplicates_total') ?? null,
    },
    problems,
  }
}

function problemOf(look: Look): string[] {
  if (look.kind === 'silent')
    return [`${look.service}: no answer at ${look.url} (${look.reason})${meaningOf(look.reason)}`]
  const missing = Object.entries(look.missing).map(([part, what]) => `${part} ${what}`)
  return missing.length === 0 ? [] : [`${look.service} at ${look.url} is not ready: ${missing.join('; ')}`]
}

/** A process that is dead refuses connections; one that is frozen takes them and says nothing. */
function meaningOf(reason: string): string {
  if (reason === 'ECONNREFUSED') return ': it does not run'
  return reason.startsWith('nothing within') ? ': it is frozen, or too busy to answer' : ''
}
