import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

/**
 * What SQS makes of one entry: `poison` fails the call that it is in, `throttled` and `failed` are told in `Failed` as
 * the service's fault, `invalid` as the sender's, `missing` is not mentioned.
 */
export type EntryFate = 'fine' | 'failed' | 'invalid' | 'throttled' | 'missing' | 'poison'
/** What becomes of a call. `accepted-then-cut`: the messages are on the queue, and the answer never comes. */
export type CallFate = 'answered' | 'expired' | 'throttled' | 'down' | 'cut' | 'accepted-then-cut'

interface Entry {
  Id: string
  MessageBody: string
  MessageAttributes?: Record<string, { DataType: string; StringValue: string }>
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const MAX_ENTRIES = 10
const MAX_BYTES = 1_048_576

/** A model of SQS: SendMessageBatch with its limits, over HTTP, failing as it is told to. */
export async function startSqsModel() {
  const model = {
    entryFate: (_id: string): EntryFate => 'fine',
    /** One for each call to come; after these all are answered. */
    callFates: [] as CallFate[],
    /** Bodies of the messages on the queue, by the id of the entry. */
    queue: new Map<string, string>(),
    /** Breaches of the limits of SQS. */
    violations: [] as string[],
    calls: 0,
    /** Whose credentials signed each call. */
    accessKeys: [] as (string | undefined)[],
  }

  function take(entries: Entry[]) {
    const fates = entries.map((entry) => ({ entry, fate: model.entryFate(entry.Id) }))
    for (const { entry, fate } of fates) if (fate === 'fine') model.queue.set(entry.Id, entry.MessageBody)
    const failed = { failed: 'InternalError', throttled: 'RequestThrottled', invalid: 'InvalidMessageContents' }
    return {
      Successful: fates.flatMap(({ entry: { Id, MessageBody }, fate }) =>
        fate === 'fine' ? [{ Id, MessageId: Id, MD5OfMessageBody: md5(MessageBody) }] : [],
      ),
      Failed: fates.flatMap(({ entry: { Id }, fate }) =>
        fate in failed
          ? [{ Id, Code: failed[fate as keyof typeof failed], Message: fate, SenderFault: fate === 'invalid' }]
          : [],
      ),
    }
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const { Entries } = (await json(request)) as { Entries: Entry[] }
    const fate = model.callFates[model.calls++] ?? 'answered'
    model.accessKeys.push(/Credential=([^/]+)/.exec(request.headers.authorization ?? '')?.[1])
    model.violations.push(...violationsOf(Entries, model.queue))
    if (fate === 'cut') return response.destroy()
    if (fate === 'expired') return answer(response, 403, error('ExpiredToken'))
    if (fate === 'throttled') return answer(response, 400, error('ThrottlingException'))
    if (fate === 'down') return answer(response, 500, error('InternalFailure'))
    const poisoned = Entries.some(({ Id }) => model.entryFate(Id) === 'poison')
    if (poisoned && fate === 'answered') return answer(response, 400, error('InvalidMessageContents'))
    const result = poisoned ? {} : take(Entries)
    return fate === 'answered' ? answer(response, 200, result) : response.destroy()
  }

  const server = createServer((request, response) => void respond(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return Object.assign(model, {
    endpoint,
    queueUrl: `${endpoint}/000000000000/model`,
    reset: () =>
      Object.assign(model, {
        entryFate: () => 'fine',
        callFates: [],
        queue: new Map(),
        violations: [],
        calls: 0,
        accessKeys: [],
      }),
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  })
}

/** What SQS would refuse, and entries that it has already. */
function violationsOf(entries: Entry[], queue: ReadonlyMap<string, string>): string[] {
  const bytes = entries.reduce((sum, entry) => sum + sizeOf(entry), 0)
  return [
    ...(entries.length === 0 ? ['an empty batch'] : []),
    ...(entries.length > MAX_ENTRIES ? [`${entries.length} entries`] : []),
    ...(bytes > MAX_BYTES ? [`${bytes} bytes`] : []),
    ...(new Set(entries.map(({ Id }) => Id)).size < entries.length ? ['two entries with one id'] : []),
    ...entries.filter(({ Id }) => queue.has(Id)).map(({ Id }) => `${Id} was sent after it was accepted`),
  ]
}

function sizeOf({ MessageBody, MessageAttributes = {} }: Entry): number {
  const attributes = Object.entries(MessageAttributes).flatMap(([name, value]) => [
    name,
    value.DataType,
    value.StringValue,
  ])
  return [MessageBody, ...attributes].reduce((sum, text) => sum + Buffer.byteLength(text), 0)
}

const error = (name: string) => ({ __type: `com.amazonaws.sqs#${name}`, message: name })
const md5 = (text: string) => createHash('md5').update(text).digest('hex')

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body))
}
