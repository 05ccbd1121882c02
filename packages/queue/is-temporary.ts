/**
 * What waiting does not cure: no credentials, wrong ones, or ones that may not. Emulators put a prefix before the name.
 */
const LASTING =
  /(CredentialsProviderError|AccessDenied|AccessDeniedException|InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|InvalidSignatureException|OptInRequired|InvalidAddress)$/

/** Is it worth trying again after this error of the SDK? */
export function isTemporary(error: Error): boolean {
  return !LASTING.test(error.name)
}
