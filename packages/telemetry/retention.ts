import { Gauge, type Registry } from '@prometheus-io/client'

/**
 * `retention_last_success_timestamp_seconds`: when each of the process's jobs that delete old rows last succeeded.
 * Returns a function that notes a success of the job. Until the first one it is the start of the process, so that an
 * alert on its age needs no case for jobs that never succeeded.
 */
export function createRetentionGauge(registry: Registry, jobs: readonly string[]): (job: string) => void {
  const gauge = new Gauge({
    name: 'retention_last_success_timestamp_seconds',
    help: 'When the job that deletes old rows last succeeded, in seconds since 1970; at first the start of the process',
    labelNames: ['job'],
    registers: [registry],
  })
  for (const job of jobs) gauge.set({ job }, Date.now() / 1000)
  return (job) => gauge.set({ job }, Date.now() / 1000)
}
