import type { Overload } from './overload.ts'

/**
 * What a process of this kind has at full work, and the flood's connections with their buffers (some 60 MB). At full
 * work it has 350 MB on a machine of 24 GB: 70 MB of it is used heap, and 180 MB room that V8 keeps for young garbage,
 * which is more the more memory a machine has.
 */
export const MAX_PEAK_MB = 450
/**
 * Accepted requests may wait for those that are under way, and not for the thousands that are turned away. Under way
 * are 256 at most, four times as many as before, at less than half the speed, since turning away takes the rest of the
 * cores: p99 was five to six times that of before. A slow machine takes its time before the flood as well.
 */
const MAX_ACCEPTED_P99_MS = 1_000
const MAX_SLOWDOWN = 8
/**
 * The speed of before, less what two measurements of a calm service differ by. Alone on two cores that is a tenth;
 * beside other work, where this was measured, it was a third (0.67, 1.05 and 1.07 of before, whatever the flood).
 */
const MIN_RECOVERY = 0.7

/** What of its promises the service did not keep. */
export function verdict({ before, during, after, peakMb, lost }: Overload): string[] {
  const refused = during.counts['503'] ?? 0
  const others = Object.keys(during.counts).filter((status) => !['201', '503'].includes(status))
  return [
    lost > 0 && `${lost} products were answered with 201 and are lost`,
    refused === 0 && 'nothing was turned away: the load was no overload',
    others.length > 0 && `answers that are neither 201 nor 503: ${others.join(', ')}`,
    peakMb > MAX_PEAK_MB && `memory went up to ${peakMb} MB, more than ${MAX_PEAK_MB}`,
    during.p99Ms > Math.max(MAX_ACCEPTED_P99_MS, MAX_SLOWDOWN * before.p99Ms) &&
      `accepted requests took ${during.p99Ms} ms (p99)`,
    after.acceptedPerSecond < MIN_RECOVERY * before.acceptedPerSecond &&
      `5 s later it takes ${after.acceptedPerSecond} requests a second, before ${before.acceptedPerSecond}`,
  ].filter((fault) => fault !== false)
}
