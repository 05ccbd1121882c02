import type { SQSClient } from '@aws-sdk/client-sqs'
import type pg from 'pg'
import type { Service } from '../stack.ts'
import type { Pulse } from './pulse.ts'

/** Where hostile input comes in. */
export const surfaces = ['http', 'queue', 'writers', 'receivers'] as const
export type Surface = (typeof surfaces)[number]

/** The two services under attack, and what their attacker and their judge need. */
export interface Target {
  products: Service
  notifications: Service
  /** The databases, past the services. */
  productsDb: pg.Pool
  notificationsDb: pg.Pool
  sqs: SQSClient
  queueUrl: string
  deadLetterUrl: string
  pulse: Pulse
}

export interface SurfaceOptions {
  target: Target
  steps: number
  seed: number
  /** Called now and then with the number of steps done. */
  onProgress: (steps: number) => void | Promise<void>
}

export interface SurfaceResult {
  steps: number
  /** What became of the steps, by what it is called. */
  counts: Record<string, number>
  /** What went wrong, with what did it. */
  violations: string[]
}

export function count(counts: Record<string, number>, what: string, by = 1): void {
  counts[what] = (counts[what] ?? 0) + by
}

/** Asks until `look` finds something, or the time is over: then undefined. */
export async function until<Found>(
  look: () => Promise<Found | undefined>,
  timeoutMs: number,
): Promise<Found | undefined> {
  for (const end = performance.now() + timeoutMs; performance.now() < end;) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
  return undefined
}

const LOOK_EVERY_MS = 50
