/** The most that SQS takes or gives in one call. */
export const BATCH_SIZE = 10

/**
 * How long SQS holds an empty receive open. A poll must not be aborted: SQS may hand its message to the dead connection
 * and hide it. So a stop waits for it, and must end within 10 s. An idle receiver costs about 0.35 USD a month on AWS.
 */
export const LONG_POLL_SECONDS = 3

/** More of them drain a backlog no faster: by then this process, or SQS, is busy all the time. */
export const MAX_RECEIVERS = 16

/**
 * Batches that a receiver may have in hand when it asks for the next: with one, it would ask for nothing while that is
 * stored and deleted, which is half of the time.
 */
export const IN_HAND = 2
