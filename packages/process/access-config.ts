import { isLoopback } from './loopback.ts'
import { oneOf, optional, text, url } from './read-config.ts'
import { StartError } from './start-error.ts'

/** Who signs the tokens that are let in, and for whom they must be meant. */
export interface TokenIssuer {
  /** Where the public keys are. */
  jwksUrl: string
  issuer: string
  audience: string
}

/** The variables below, as `readConfig` gives them. */
export interface AccessVariables {
  HOST: string
  AUTH: 'off' | undefined
  AUTH_JWKS_URL: string | undefined
  AUTH_ISSUER: string | undefined
  AUTH_AUDIENCE: string | undefined
}

/** Whose tokens are let in: variables of each program with an API. */
export const issuerKinds = {
  AUTH_JWKS_URL: optional(url(['https', 'http'])),
  AUTH_ISSUER: optional(text('text')),
  AUTH_AUDIENCE: optional(text('text')),
}
/** The same of a service, which a proxy may guard instead. */
export const accessKinds = { AUTH: optional(oneOf(['off'] as const)), ...issuerKinds }

/** Who may call a service's API. */
export interface ApiAccess {
  /** The issuer of the tokens that the API requires; undefined when it requires none. */
  access: TokenIssuer | undefined
  /** Neither tokens nor a proxy protect the API: it serves this machine alone. */
  onlyThisMachine: boolean
}

/** Throws a `StartError` as `readAccess` does. */
export function readApiAccess(variables: AccessVariables): ApiAccess {
  const access = readAccess(variables)
  return { access, onlyThisMachine: access === undefined && variables.AUTH !== 'off' }
}

/**
 * The issuer of the tokens that an API must require; undefined when it requires none: on loopback, or where `AUTH=off`
 * says that a proxy checks callers. Throws a `StartError` for any other combination: no API is open by accident.
 */
export function readAccess(variables: AccessVariables): TokenIssuer | undefined {
  const { HOST, AUTH, AUTH_JWKS_URL: jwksUrl, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience } = variables
  const missing = Object.entries({ AUTH_JWKS_URL: jwksUrl, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience })
    .filter(([, value]) => value === undefined)
    .map(([name]) => name)
  const none = missing.length === 3
  if (AUTH === 'off') {
    if (!none)
      throw new StartError('configuration: AUTH=off and AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE exclude each other')
    return undefined
  }
  if (jwksUrl !== undefined && issuer !== undefined && audience !== undefined) {
    const { protocol, hostname } = new URL(jwksUrl)
    // Over http anyone between the two could bring keys of their own.
    if (protocol !== 'https:' && !isLoopback(hostname.replace(/^\[|\]$/g, '')))
      throw new StartError('configuration: AUTH_JWKS_URL must be an https URL unless it leads to this machine')
    return { jwksUrl, issuer, audience }
  }
  if (!none)
    throw new StartError(
      `configuration: ${missing.join(' and ')} must be set too: AUTH_JWKS_URL, AUTH_ISSUER and AUTH_AUDIENCE belong together`,
    )
  if (isLoopback(HOST)) return undefined
  throw new StartError(
    `configuration: HOST=${HOST} can be reached from other machines: set AUTH_JWKS_URL, AUTH_ISSUER and AUTH_AUDIENCE, ` +
      'or AUTH=off if something in front of this service checks who calls',
  )
}
