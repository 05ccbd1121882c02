import { type Instance, type Look, scrape } from './scrape.ts'
import { type Step, stepsOf } from './steps.ts'
import { windowOf } from './window.ts'

/** What is known of a deployment at one moment. */
export interface Status {
  at: string
  ok: boolean
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

export function lookAtAll(instances: Instance[], signal: AbortSignal): Promise<Look[]> {
  return Promise.all(instances.map((instance) => scrape(instance, signal)))
}

/** Rates and delays are those between the two looks. */
export function statusOf(before: Look[], after: Look[]): Status {
  const steps = stepsOf(before, after)
  const problems = [...after.flatMap(problemOf), ...steps.flatMap(({ problems }) => problems)]
  const { sum } = windowOf(before, after)
  return {
    at: new Date().toISOString(),
    ok: problems.length === 0,
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
  if (look.kind === 'silent') return [`${look.service}: no answer at ${look.url} (${look.reason})`]
  const missing = Object.entries(look.missing).map(([part, what]) => `${part} ${what}`)
  return missing.length === 0 ? [] : [`${look.service} at ${look.url} is not ready: ${missing.join('; ')}`]
}
