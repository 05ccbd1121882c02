import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { createOutageWatch, type OutageEvents } from '@product-events/outages'

/** Key sets are small and served from caches. A request that waits for the first one gets 503 after this time. */
const FETCH_TIMEOUT_MS = 3_000
/** No key set has this size; an answer that has is not kept in memory. */
const MAX_BYTES = 256 * 1024
/** Longer, and a key that its issuer withdrew would be good for too long. */
const MAX_AGE_MS = 10 * 60_000
/** While the issuer can't be asked, its known keys go on for so long. */
const MAX_STALE_MS = 24 * 3_600_000
/** Between two fetches, failed ones too, however many tokens come that are signed by unknown keys. */
const COOLDOWN_MS = 30_000
/** While no key set is there yet, an issuer that is back should be found sooner. */
const FIRST_COOLDOWN_MS = 1_000
/** A key that the issuer has just made is there by then; an issuer that hangs makes forged tokens wait no longer. */
const UNKNOWN_KEY_PATIENCE_MS = 250

/** Nothing can be said of a token: the issuer's keys can't be had. */
export class KeysUnavailable extends Error {}

type KeySet = ReturnType<typeof createLocalJWKSet>

/**
 * The key that signed a token, of the set that is at `url`. Fetches it when it is first needed, every ten minutes,
 * and for unknown keys, but at most twice a minute. Callers with known keys never wait for a fetch but the first.
 */
export function createIssuerKeys(url: string, events: OutageEvents): JWTVerifyGetKey {
  const watch = createOutageWatch(events)
  let keys: KeySet | undefined
  let fetchedAt = -Infinity
  let nextFetchAt = -Infinity
  let failure = new Error('not asked yet')
  let fetching: Promise<void> | undefined

  async function fetchKeys(): Promise<void> {
    try {
      keys = createLocalJWKSet(await fetchKeySet(url))
      fetchedAt = performance.now()
      watch.worked()
    } catch (error) {
      failure = error as Error
      watch.failed(failure.message)
    }
    nextFetchAt = performance.now() + (keys ? COOLDOWN_MS : FIRST_COOLDOWN_MS)
    fetching = undefined
  }

  /** The fetch that is under way, or a new one where the last is long enough ago. */
  function refresh(): Promise<void> | undefined {
    if (performance.now() >= nextFetchAt) fetching ??= fetchKeys()
    return fetching
  }

  return async (header, token) => {
    const age = performance.now() - fetchedAt
    if (age > MAX_AGE_MS) {
      const refreshed = refresh()
      if (age > MAX_STALE_MS) {
        await refreshed
        if (performance.now() - fetchedAt > MAX_STALE_MS) throw new KeysUnavailable(failure.message, { cause: failure })
      }
    }
    const known = keys as KeySet
    try {
      return await known(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      await withinPatience(refresh())
      if (keys === known) throw error
      return (keys as KeySet)(header, token)
    }
  }
}

async function withinPatience(refreshed: Promise<void> | undefined): Promise<void> {
  if (refreshed === undefined) return
  const { promise: enough, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, UNKNOWN_KEY_PATIENCE_MS)
  await Promise.race([refreshed, enough])
  clearTimeout(timer)
}

async function fetchKeySet(url: string): Promise<JSONWebKeySet> {
  // A redirect could lead from https to http, and to another host.
  const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS)
  const response = await fetch(url, { signal, redirect: 'error', headers: { accept: 'application/json' } })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new Error(`${url} answered ${response.status}`)
  }
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > MAX_BYTES) throw new Error(`${url} answered with more than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return JSON.parse(Buffer.concat(chunks).toString()) as JSONWebKeySet
}
