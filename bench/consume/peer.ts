import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { localCredentials } from '@product-events/local'

/** By its path, since no workspace declares it: `npm run bench:peers` installs it. */
export const SQS_CONSUMER = new URL('../peers/node_modules/sqs-consumer/dist/esm/index.js', import.meta.url).href

/** What each process that drains a queue is told, and what it tells when it is done. */
export interface PeerOrder {
  sqsEndpoint: string
  queueUrl: string
  databaseUrl: string
  /** This many messages are on the queue. */
  messages: number
}

/**
 * Runs a program of this folder as a process of its own, as a service would be. Resolves with its messages a second.
 */
export async function runPeer(program: string, order: PeerOrder): Promise<number> {
  const child = spawn(process.execPath, [`${import.meta.dirname}/${program}`, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, ...localCredentials },
  })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${program} ended with ${code}`)
  return Number(said)
}

export function readOrder(): PeerOrder {
  return JSON.parse(process.argv[2] ?? '') as PeerOrder
}

/** Counts handled messages from the first one received on, says the rate after the last one, and ends the process. */
export function stopwatch(messages: number) {
  let from: number | undefined
  let handled = 0
  return {
    received(): void {
      from ??= performance.now()
    },
    handled(count: number): void {
      handled += count
      if (handled < messages) return
      process.stdout.write(String(messages / ((performance.now() - (from ?? 0)) / 1000)), () => process.exit(0))
    },
  }
}
