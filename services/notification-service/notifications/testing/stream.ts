import type { Notification } from '../schemas.ts'

export interface StreamReader {
  /** Ids of the notifications that came, in order. */
  ids: string[]
  notifications: Notification[]
  heartbeats: () => number
  /** How often the stream said that it can not go on exactly where the reader was. */
  resets: () => number
  /** What a browser would send as Last-Event-ID when it comes again. */
  lastEventId: () => string
  retryMs: () => number | undefined
  close(): void
  /** Resolves when the stream is over: `ended` by the server in order, or `cut` off in the middle. */
  over: Promise<'ended' | 'cut'>
}

/** Reads `GET /notifications/stream` as an EventSource does. Rejects with the answer if that is not a stream. */
export async function readStream(
  api: string,
  { lastEventId = '', query = '', authorization = '' } = {},
): Promise<StreamReader> {
  const abort = new AbortController()
  const response = await fetch(`${api}/notifications/stream${query}`, {
    headers: {
      accept: 'text/event-stream',
      ...(lastEventId && { 'last-event-id': lastEventId }),
      ...(authorization && { authorization }),
    },
    signal: abort.signal,
  })
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
  const reader: StreamReader = {
    ids: [],
    notifications: [],
    heartbeats: () => heartbeats,
    resets: () => resets,
    lastEventId: () => lastId,
    retryMs: () => retryMs,
    close: () => abort.abort(),
    over: readAll().then(
      () => 'ended',
      () => 'cut',
    ),
  }
  let lastId = lastEventId
  let heartbeats = 0
  let resets = 0
  let retryMs: number | undefined

  async function readAll(): Promise<void> {
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) take(block)
    }
  }

  function take(block: string): void {
    if (block.startsWith('event: reset\n')) {
      resets += 1
      return
    }
    for (const line of block.split('\n')) {
      const [, field = '', value = ''] = /^([a-z]*): ?(.*)$/.exec(line) ?? []
      if (field === '') heartbeats += 1
      else if (field === 'id') lastId = value
      else if (field === 'retry') retryMs = Number(value)
      else if (field === 'data') {
        reader.ids.push(lastId)
        reader.notifications.push(JSON.parse(value) as Notification)
      } else throw new Error(`no field of server-sent events: ${line}`)
    }
  }
  return reader
}
