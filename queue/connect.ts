import { SQSClient } from '@aws-sdk/client-sqs'

/** SQS answers a send within milliseconds; a connection that takes longer than this is a dead one. */
const CONNECT_TIMEOUT_MS = 2_000

export interface SqsOptions {
  /** Undefined: AWS itself, in `region`. Else LocalStack, the embedded SQS, or a VPC endpoint. */
  endpoint: string | undefined
  region: string
  /** How long an answer may take, in milliseconds. A receiver must allow for its long poll. */
  requestTimeoutMs: number
  /** Calls under way at once; further ones wait for a connection. */
  maxConnections: number
}

/** An SQS client. Credentials come from the AWS SDK's standard chain (environment, profile, role). Opens nothing. */
export function connectSqs({ endpoint, region, requestTimeoutMs, maxConnections }: SqsOptions): SQSClient {
  return new SQSClient({
    region,
    ...(endpoint !== undefined && { endpoint }),
    // The queue's URL may carry a host that only resolves inside a container (LocalStack, the embedded SQS).
    useQueueUrlAsEndpoint: endpoint === undefined,
    // Whoever calls decides about retries: it knows what a failure means and how long to wait.
    maxAttempts: 1,
    // Off, for its time (see "Why there is no MD5" in ARCHITECTURE.md): signatures and TLS check more than it does.
    md5: false,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
      httpAgent: { maxSockets: maxConnections, keepAlive: true },
      httpsAgent: { maxSockets: maxConnections, keepAlive: true },
    },
  })
}
