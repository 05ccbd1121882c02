/**
 * For the statements of a request: a statement that waits for a lock fails before its caller gives up, and is
 * cancelled, so nothing of it happens later. `inTime` bounds the whole request.
 */
export const WITHIN_A_REQUEST = { query_timeout: 4_000 } as const
/** How long a request may wait to share a statement with others. */
export const MAX_WAIT_MS = 3_000
