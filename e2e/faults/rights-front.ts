import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { queueNameOf } from '@product-events/queue'
import type { Rights } from '../../deploy/aws/rights.ts'

/** An SQS that allows the actions of its caller's role and denies all others, as IAM does. */
export interface RightsFront {
  endpoint: string
  /** Each action that was done or denied, once, as `<action> on <queue name>`. */
  allowed: Set<string>
  denied: Set<string>
  /** How many calls were made. */
  asked(): number
  /** From now on, instead of the rights of the start. */
  become(rights: Rights): void
  close(): Promise<void>
}

export interface RightsFrontOptions {
  /** Where the real one is. */
  endpoint: string
  queueName: string
  deadLetterQueueName: string
  rights: Rights
}

/** `rights` as `allowed` and `denied` have them. */
export function named({ queue, deadLetterQueue }: Rights, queueName: string, deadLetterQueueName: string): string[] {
  return [
    ...queue.map((action) => `${action} on ${queueName}`),
    ...deadLetterQueue.map((action) => `${action} on ${deadLetterQueueName}`),
  ].toSorted()
}

/** IAM knows no batch: SendMessageBatch needs sqs:SendMessage. */
function actionOf(target: string): string {
  return `sqs:${target.replace(/^AmazonSQS\./, '').replace(/Batch$/, '')}`
}

export async function startRightsFront(options: RightsFrontOptions): Promise<RightsFront> {
  const { endpoint, queueName, deadLetterQueueName } = options
  let rights = new Set(named(options.rights, queueName, deadLetterQueueName))
  const allowed = new Set<string>()
  const denied = new Set<string>()
  let asked = 0

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat((await request.toArray()) as Buffer[]).toString()
    const { QueueUrl, QueueName } = JSON.parse(body) as { QueueUrl?: string; QueueName?: string }
    const action = actionOf(String(request.headers['x-amz-target']))
    const call = `${action} on ${QueueName ?? queueNameOf(QueueUrl ?? '')}`
    asked++
    response.setHeader('content-type', 'application/x-amz-json-1.0')
    if (!rights.has(call)) {
      denied.add(call)
      const message = `User: arn:aws:sts::000000000000:assumed-role/test is not authorized to perform: ${call}`
      // What AWS answers to its JSON protocol, under the name that its older protocol has for it.
      response.setHeader('x-amzn-query-error', 'AccessDenied;Sender')
      response.writeHead(403).end(JSON.stringify({ __type: 'com.amazon.coral.service#AccessDeniedException', message }))
      return
    }
    allowed.add(call)
    const names = Object.entries(request.headers).filter(([name]) => /^(x-amz|content-type$|authorization$)/.test(name))
    const headers = Object.fromEntries(names) as Record<string, string>
    const answer = await fetch(endpoint + request.url, { method: 'POST', headers, body })
    response.writeHead(answer.status).end(await answer.text())
  }

  const server = createServer((request, response) => {
    // The real one is away, or the client is: either way this connection is over.
    serve(request, response).catch(() => request.socket.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }

  return {
    endpoint: `http://127.0.0.1:${port}`,
    allowed,
    denied,
    asked: () => asked,
    become: (next) => void (rights = new Set(named(next, queueName, deadLetterQueueName))),
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
