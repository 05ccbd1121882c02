import { SQSClient } from '@aws-sdk/client-sqs'
import { askAgainWhenRefused, standardCredentials } from './credentials.ts'
import { shortenCalls } from './short-calls.ts'
import { UndiciHandler } from './undici-handler.ts'

export interface SqsOptions {
  /** Undefined: AWS itself, in `region`. Else LocalStack, the embedded SQS, or a VPC endpoint. */
  endpoint: string | undefined
  region: string
  /**
   * How long a call may take, to the last byte of its answer, in milliseconds. A receiver must allow for its long poll.
   */
  requestTimeoutMs: number
  /** Calls under way at once; further ones wait for a connection. */
  maxConnections: number
}

/**
 * An SQS client. Credentials come from the AWS SDK's standard chain (environment, profile, role). Opens nothing.
 * Middleware that is added after the first command of a kind does not reach that kind.
 */
export function connectSqs({ endpoint, region, requestTimeoutMs, maxConnections }: SqsOptions): SQSClient {
  const sqs = new SQSClient({
    region,
    credentials: standardCredentials(),
    ...(endpoint !== undefined && { endpoint }),
    // The queue's URL may carry a host that only resolves inside a container (LocalStack, the embedded SQS).
    useQueueUrlAsEndpoint: endpoint === undefined,
    // The caller decides about retries: it knows what a failure means and how long to wait.
    maxAttempts: 1,
    // Off, for its time (see "Why there is no MD5" in ARCHITECTURE.md): signatures and TLS check more than it does.
    md5: false,
    // Otherwise the SDK sorts its middleware for every call: a tenth of the cost of a call.
    cacheMiddleware: true,
    requestHandler: new UndiciHandler({ requestTimeoutMs, maxConnections }),
  })
  // It copies every message, in and out, without secrets, for a logger that is not set: another tenth.
  sqs.middlewareStack.remove('loggerMiddleware')
  askAgainWhenRefused(sqs)
  shortenCalls(sqs)
  return sqs
}
