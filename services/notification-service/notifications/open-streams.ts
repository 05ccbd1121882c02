import { isIPv6 } from 'node:net'
import type { Followed } from './follow.ts'

/** Shorter than the 30 s after which a silent connection is closed, here and by the usual proxies. */
export const HEARTBEAT_MS = 15_000
/** A stream ends within this time of its token. */
const EXPIRY_CHECK_MS = 1_000
/** Streams that a process keeps open: idle they took 39 MB, and 68 MB after a few thousand notifications. */
export const MOST_STREAMS = 1_000
/** Of one caller: several have to come together to take all of them. */
export const MOST_STREAMS_OF_CALLER = 200

export interface OpenStreams {
  /** A place for one more stream of this caller, or the reason why there is none. */
  take(caller: string): StreamPlace | string
  /** Ends all streams and lets no more in. */
  close(): void
}

export interface StreamPlace {
  /** From now on the stream gets heartbeats, and ends at `expiresAt` (milliseconds since 1970). */
  opened(followed: Followed, expiresAt: number | undefined): void
  /** Frees the place. */
  leave(): void
}

/**
 * The streams of a process: how many there are, and the one timer that keeps all of them alive and ends them in time.
 */
export function createOpenStreams(heartbeatMs: number): OpenStreams {
  const ofCaller = new Map<string, number>()
  const open = new Map<Followed, number>()
  let taken = 0
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let heartbeatAt = 0

  function tick(): void {
    for (const [followed, expiresAt] of open) if (Date.now() >= expiresAt) followed.end()
    if (performance.now() < heartbeatAt) return
    heartbeatAt = performance.now() + heartbeatMs
    for (const followed of open.keys()) followed.heartbeat()
  }

  function enter(caller: string): void {
    taken += 1
    ofCaller.set(caller, (ofCaller.get(caller) ?? 0) + 1)
    if (timer) return
    heartbeatAt = performance.now() + heartbeatMs
    timer = setInterval(tick, Math.min(EXPIRY_CHECK_MS, heartbeatMs))
  }

  function leave(caller: string): void {
    taken -= 1
    const left = (ofCaller.get(caller) ?? 1) - 1
    if (left > 0) ofCaller.set(caller, left)
    else ofCaller.delete(caller)
    if (taken > 0) return
    clearInterval(timer)
    timer = undefined
  }

  return {
    take(caller) {
      if (closed) return 'This process is stopping.'
      if (taken >= MOST_STREAMS) return 'There are as many streams open as this process can keep.'
      if ((ofCaller.get(caller) ?? 0) >= MOST_STREAMS_OF_CALLER)
        return 'There are as many streams open as one caller can have.'
      enter(caller)
      let followed: Followed | undefined
      return {
        opened(stream, expiresAt = Infinity) {
          followed = stream
          open.set(stream, expiresAt)
          if (closed) stream.end()
        },
        leave() {
          if (followed) open.delete(followed)
          leave(caller)
        },
      }
    },
    close() {
      closed = true
      for (const followed of open.keys()) followed.end()
    },
  }
}

/** Whose stream it is: the subject of the token, or without tokens the address. A network has many IPv6 addresses. */
export function streamCaller({ caller, ip }: { caller: string; ip: string }): string {
  if (caller !== '') return caller
  return isIPv6(ip) && !ip.startsWith('::ffff:') ? networkOf(ip) : ip
}

/** The first 64 bits. */
function networkOf(ip: string): string {
  const [left = '', right = ''] = ip.split('::')
  const groups = left.split(':').filter(Boolean)
  const zeros = Math.max(0, 8 - groups.length - right.split(':').filter(Boolean).length)
  const all = [...groups, ...Array<string>(zeros).fill('0'), ...right.split(':').filter(Boolean)]
  return all.slice(0, 4).join(':')
}
