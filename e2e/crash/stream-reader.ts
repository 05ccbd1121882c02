import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

/** A client's own: the `retry` of the stream spreads thousands of readers, and would only make rounds longer. */
const RECONNECT_MS = 500

export interface StreamReader {
  /** The ids of the notifications, in the order in which they came. */
  seen: string[]
  /** How often it began to read: once, and after each cut. */
  connections: () => number
  stop(): Promise<void>
}

/**
 * Reads `GET /notifications/stream` behind the notification `after`, and resumes with `Last-Event-ID` after each cut.
 * Calls `onLie` when the stream restarts with `reset`: no notification of a round is ever gone.
 */
export function readStream(url: string, after: string, onLie: (what: string) => void): StreamReader {
  const seen: string[] = []
  const stop = new AbortController()
  let lastId = after
  let connections = 0

  async function readOnce(): Promise<void> {
    const response = await fetch(`${url}/notifications/stream`, {
      headers: { accept: 'text/event-stream', 'last-event-id': lastId },
      signal: stop.signal,
    })
    if (!response.ok || response.body === null) {
      await response.body?.cancel()
      return
    }
    connections++
    let block = { id: '', data: '' }
    // An event counts once its empty line is there, as the standard says: half a block before a cut does not.
    for await (const line of createInterface({ input: Readable.from(response.body), crlfDelay: Infinity })) {
      if (line.startsWith('id: ')) block.id = line.slice(4)
      else if (line.startsWith('data: ')) block.data = line.slice(6)
      else if (line === 'event: reset') onLie(`${url}/notifications/stream was reset after ${lastId}`)
      else if (line === '') {
        if (block.id !== '') lastId = block.id
        if (block.id !== '' && block.data !== '') seen.push(block.id)
        block = { id: '', data: '' }
      }
    }
  }

  async function read(): Promise<void> {
    while (!stop.signal.aborted) {
      await readOnce().catch(() => {}) // cut, or refused
      await sleep(RECONNECT_MS, undefined, { signal: stop.signal }).catch(() => {})
    }
  }
  const reading = read()
  return {
    seen,
    connections: () => connections,
    async stop() {
      stop.abort()
      await reading
    },
  }
}
