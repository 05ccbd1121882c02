import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** What SQS may do to a whole SendMessageBatch. The last two come after it has accepted the messages. */
export type CallFault = 'throttle' | 'error500' | 'drop-answer' | 'duplicate'

export interface FrontFaults {
  /** Decides for each call. */
  call?: () => CallFault | undefined
  /** Decides for each entry whether it is refused, by the body of its message. */
  refuses?: (body: string) => boolean
  /** Decides for each entry whether SQS fails at it, through no fault of the entry (`SenderFault: false`). */
  fails?: (body: string) => boolean
}

export type EntryFault = 'refuse-entry' | 'fail-entry'

export interface SqsFrontOptions {
  port: number
  /** Where the real one is. */
  endpoint: string
  /** Called for each message that the real one accepted, in that order, before its sender gets the answer. */
  onAccepted: (body: string) => void
  /** Called for each fault that hit a call. */
  onFault?: (fault: CallFault | EntryFault) => void
}

export interface SqsFront {
  endpoint: string
  /** From now on. */
  become(faults: FrontFaults): void
  close(): Promise<void>
}

interface Batch {
  Entries: { Id: string; MessageBody: string }[]
}
interface BatchAnswer {
  Successful?: { Id: string }[]
  Failed?: { Id: string; SenderFault: boolean; Code: string; Message: string }[]
}
interface Answer {
  status: number
  body: string
}

/** A throttled caller would hear the same of AWS. */
const throttled = { __type: 'com.amazonaws.sqs#ThrottlingException', message: 'Rate exceeded' }
const broken = { __type: 'com.amazonaws.sqs#InternalError', message: 'We encountered an internal error' }
const failure = { SenderFault: false, Code: 'InternalError', Message: 'We encountered an internal error' }
const refusal = { SenderFault: true, Code: 'RefusedByTest', Message: 'this entry is refused' }

/** An SQS in front of another, by the same protocol (AWS JSON): it passes everything on, remembers, and misbehaves. */
export async function startSqsFront({ port, endpoint, onAccepted, onFault }: SqsFrontOptions): Promise<SqsFront> {
  let faults: FrontFaults = {}

  const forward = (request: IncomingMessage, body: string) => passOn(endpoint, request, body)

  async function sendBatch(request: IncomingMessage, body: string): Promise<Answer | 'dropped'> {
    const fault = faults.call?.()
    if (fault) onFault?.(fault)
    if (fault === 'throttle') return { status: 400, body: JSON.stringify(throttled) }
    if (fault === 'error500') return { status: 500, body: JSON.stringify(broken) }
    const batch = JSON.parse(body) as Batch
    const { entries, failed } = judgeEntries(batch, faults, onFault)
    if (entries.length === 0) return { status: 200, body: JSON.stringify({ Successful: [], Failed: failed }) }
    const passedOn = JSON.stringify({ ...batch, Entries: entries })
    const answer = await forward(request, passedOn)
    if (answer.status !== 200) return answer
    const { Successful = [], Failed = [] } = JSON.parse(answer.body) as BatchAnswer
    const accepted = new Set(Successful.map(({ Id }) => Id))
    for (const { Id, MessageBody } of entries) if (accepted.has(Id)) onAccepted(MessageBody)
    if (fault === 'duplicate') await forward(request, passedOn)
    if (fault === 'drop-answer') return 'dropped'
    return { status: 200, body: JSON.stringify({ Successful, Failed: [...Failed, ...failed] }) }
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat((await request.toArray()) as Buffer[]).toString()
    const isBatch = request.headers['x-amz-target'] === 'AmazonSQS.SendMessageBatch'
    const answer = await (isBatch ? sendBatch(request, body) : forward(request, body))
    if (answer === 'dropped') request.socket.destroy()
    else response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' }).end(answer.body)
  }

  const server = createServer((request, response) => {
    // The real one is away, or the client is: either way this connection is over.
    serve(request, response).catch(() => request.socket.destroy())
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')

  return {
    endpoint: `http://127.0.0.1:${port}`,
    become: (next) => void (faults = next),
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** Lets the real one answer. */
async function passOn(endpoint: string, request: IncomingMessage, body: string): Promise<Answer> {
  const headers = Object.entries(request.headers).filter(([name]) => /^(x-amz|content-type$|authorization$)/.test(name))
  const answer = await fetch(endpoint + request.url, {
    method: 'POST',
    headers: Object.fromEntries(headers) as Record<string, string>,
    body,
  })
  return { status: answer.status, body: await answer.text() }
}

/** Which entries reach the real one, and the answers for the others. */
function judgeEntries({ Entries }: Batch, faults: FrontFaults, onFault: SqsFrontOptions['onFault']) {
  const entries: Batch['Entries'] = []
  const failed: NonNullable<BatchAnswer['Failed']> = []
  for (const entry of Entries) {
    const [fault, answer] = faults.refuses?.(entry.MessageBody)
      ? (['refuse-entry', refusal] as const)
      : faults.fails?.(entry.MessageBody)
        ? (['fail-entry', failure] as const)
        : []
    if (fault === undefined) entries.push(entry)
    else {
      failed.push({ Id: entry.Id, ...answer })
      onFault?.(fault)
    }
  }
  return { entries, failed }
}
