import type { SQSClient } from '@aws-sdk/client-sqs'
import { defaultProvider } from '@aws-sdk/credential-provider-node'

/** Names of the answers to credentials that are not valid, or not any more. Emulators put a prefix before the name. */
const REFUSED =
  /(ExpiredToken|ExpiredTokenException|InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId|AuthFailure|SignatureDoesNotMatch|InvalidSignatureException|MissingAuthenticationToken|IncompleteSignature)$/
/** Credentials are requested once a second at most, however many calls fail. */
const COOLDOWN_MS = 1_000

/** The SDK's standard chain (environment, profile, container, web identity, instance), without its cache of files. */
export const standardCredentials = () => defaultProvider({ ignoreCache: true })

/**
 * Asks for credentials again after a call that SQS refused because of them. The SDK keeps those without an end, as in a
 * profile, for the life of the process: then a rotated key would need a restart.
 */
export function askAgainWhenRefused(sqs: SQSClient): void {
  let askAgainAt = 0
  async function ask(): Promise<void> {
    if (performance.now() < askAgainAt) return
    askAgainAt = performance.now() + COOLDOWN_MS
    // A chain that finds nothing says so to the next call.
    await sqs.config.credentials({ forceRefresh: true }).catch(() => {})
  }
  sqs.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args)
      } catch (error) {
        if (REFUSED.test((error as Error).name)) await ask()
        throw error
      }
    },
    { step: 'initialize', name: 'askAgainWhenRefused' },
  )
}
