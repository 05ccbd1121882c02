import { queueNumbers } from './names.ts'

/**
 * Thresholds of scaling. A threshold must be above what a step itself causes, or a step would cause the next one: a
 * test compares each with the time that it must exceed.
 */
export const scalingNumbers = {
  /** Leaves room for the 30 to 60 s until a new task is ready. */
  apiCpuPercent: 60,
  /** 50 requests a second on a quarter of a processor. */
  apiRequestsPerMinute: 3_000,
  /** A message that fails is oldest for five receives: 150 s. Twice that is load. */
  consumerAgeSeconds: 2 * queueNumbers.maxReceiveCount * queueNumbers.visibilityTimeoutSeconds,
  /** Fewer messages than one receive of each receiver of a task are not a load, however old. */
  consumerWaiting: 160,
  /** Below a visibility timeout nothing waited for a consumer. */
  consumerIdleSeconds: queueNumbers.visibilityTimeoutSeconds,
  /** A hand-over of lanes makes events of up to one lease (10 s) wait: at 100 events a second, 1,000. */
  relayBacklog: 5_000,
  relayIdle: 100,
}
