import { setTimeout as sleep } from 'node:timers/promises'
import { query } from '../server.ts'

/** One way of working off what stands in a table, to a sink that takes everything at once. */
export interface Drainer {
  name: string
  /** Writes `count` events, not measured. */
  fill(count: number): Promise<void>
  /** Hands every one of them to the sink and marks them done. Resolves when the database knows. */
  drain(count: number): Promise<void>
  /** Clean-up after a drain, before the next contestant; not measured. */
  settled?(): Promise<void>
  close(): Promise<void>
}

/** What each event carries, the same for all: an event of ours of common size. */
export function samplePayload(n: number): object {
  return {
    specversion: '1.0',
    id: '01a202ac-4eb7-784d-a155-84ebad6833ec',
    source: '/product-service',
    type: 'product.created',
    subject: '01a202ac-4eb6-7c6a-92f1-9ace61c7e1da',
    time: '2026-11-22T09:52:56.502Z',
    datacontenttype: 'application/json',
    sequence: '1',
    data: { id: n, name: `Mug number ${n}`, description: 'Holds tea. '.repeat(10), price: 12.5, version: 1 },
  }
}

/** Batch jobs report completion late: waits until `sql` counts nothing that is left. */
export async function untilNoneLeft(url: string, sql: string): Promise<void> {
  for (;;) {
    const [row] = await query<{ left: number }>(url, sql)
    if (row?.left === 0) return
    await sleep(5)
  }
}
