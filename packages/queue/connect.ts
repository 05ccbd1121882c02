import { SQSClient } from '@aws-sdk/client-sqs'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { askAgainWhenRefused, standardCredentials } from './credentials.ts'

/** SQS answers a send within milliseconds; a connection that takes longer than this is a dead one. */
const CONNECT_TIMEOUT_MS = 2_000

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
    // Else the SDK sorts its middleware for every call: a tenth of what a call costs.
    cacheMiddleware: true,
    requestHandler: new BoundedHandler(requestTimeoutMs, maxConnections),
  })
  // It copies every message, in and out, without what is secret, for a logger that is not set: another tenth.
  sqs.middlewareStack.remove('loggerMiddleware')
  askAgainWhenRefused(sqs)
  return sqs
}

/**
 * Ends every call in time. The SDK's own limit is over when the head of the answer is there, and an `abortSignal` for a
 * single call would cost the cached middleware.
 */
class BoundedHandler extends NodeHttpHandler {
  readonly #limitMs: number

  constructor(limitMs: number, maxConnections: number) {
    super({
      connectionTimeout: CONNECT_TIMEOUT_MS,
      httpAgent: { maxSockets: maxConnections, keepAlive: true },
      httpsAgent: { maxSockets: maxConnections, keepAlive: true },
    })
    this.#limitMs = limitMs
  }

  override handle(...[request, options]: Parameters<NodeHttpHandler['handle']>): ReturnType<NodeHttpHandler['handle']> {
    const limit = AbortSignal.timeout(this.#limitMs)
    const abortSignal = options?.abortSignal ? AbortSignal.any([options.abortSignal as AbortSignal, limit]) : limit
    return super.handle(request, { ...options, abortSignal })
  }
}
