import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { isLoopback, StartError } from '@product-events/process'
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'

/** Bounds the label values of the metrics and the connections of one process. */
const MAX_WEBHOOKS = 20
const MAX_RECIPIENTS = 50
/** The length of a symmetric secret by Standard Webhooks, in bytes. */
const SECRET_BYTES = { min: 24, max: 64 }

const EnvName = Type.String({ pattern: '^[A-Z][A-Z0-9_]*$' })
/** It is part of the key of a delivery. */
const Address = Type.String({ pattern: '^[^\\r\\n]*[^\\s@]+@[^\\s@]+$', maxLength: 320 })

const ChannelsFile = Type.Object(
  {
    webhooks: Type.Optional(
      Type.Array(
        Type.Object(
          { name: Type.String({ pattern: '^[a-z0-9-]{1,40}$' }), url: Type.String(), secret_env: EnvName },
          { additionalProperties: false },
        ),
        { maxItems: MAX_WEBHOOKS },
      ),
    ),
    email: Type.Optional(
      Type.Object(
        {
          smtp_url_env: EnvName,
          from: Address,
          to: Type.Array(Address, { minItems: 1, maxItems: MAX_RECIPIENTS }),
        },
        { additionalProperties: false },
      ),
    ),
    allow_hosts: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
  },
  { additionalProperties: false },
)
const fileCheck = Compile(ChannelsFile)

export interface WebhookEndpoint {
  name: string
  url: URL
  /** The first signs; while a secret is being replaced, all of them do. */
  secrets: string[]
}

export interface SmtpServer {
  host: string
  port: number
  /** TLS from the first byte (`smtps://`). */
  secure: boolean
  /** Without STARTTLS the conversation ends: nothing of it is sent in clear. */
  requireTls: boolean
  auth?: { user: string; pass: string }
}

export interface EmailSettings {
  server: SmtpServer
  from: string
  /** One mail each. */
  to: readonly string[]
}

export interface ChannelsConfig {
  webhooks: WebhookEndpoint[]
  email: EmailSettings | undefined
  /** Hosts that may be private and may do without TLS, by their names in the file. */
  allowHosts: ReadonlySet<string>
}

/**
 * The channels that the file at `path` (CHANNELS_FILE) names, with their secrets from the environment; undefined
 * without a path or with a file that configures none. Throws one `StartError` with all faults, without the
 * secrets.
 */
export function readChannels(path: string | undefined, env: NodeJS.ProcessEnv): ChannelsConfig | undefined {
  if (path === undefined) return undefined
  const file = parseFile(path)
  // A URL writes an IPv6 address in brackets; the file may do without.
  const allowHosts = new Set(
    (file.allow_hosts ?? []).map((host) => (isIP(host) === 6 ? `[${host}]` : host).toLowerCase()),
  )
  const faults: string[] = []
  const webhooks = (file.webhooks ?? []).map(({ name, url, secret_env }, index) => {
    if (file.webhooks?.findIndex((other) => other.name === name) !== index)
      faults.push(`two webhooks are named ${name}`)
    return { name, url: parseUrl(name, url, allowHosts, faults), secrets: parseSecrets(env, secret_env, faults) }
  })
  const email = file.email && {
    server: parseSmtpUrl(env, file.email.smtp_url_env, faults),
    from: file.email.from,
    to: [...new Set(file.email.to)],
  }
  if (faults.length > 0) throw new StartError(`channels (${path}): ${faults.join('; ')}`)
  return webhooks.length > 0 || email ? { webhooks, email, allowHosts } : undefined
}

function parseFile(path: string): Static<typeof ChannelsFile> {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new StartError(`CHANNELS_FILE must be the path of a JSON file: ${(error as Error).message}`)
  }
  if (fileCheck.Check(value)) return value
  const faults = [...fileCheck.Errors(value)].map(({ instancePath, message }) => `${instancePath || 'it'} ${message}`)
  throw new StartError(`channels (${path}): ${faults.join('; ')}`)
}

function parseUrl(name: string, text: string, allowHosts: ReadonlySet<string>, faults: string[]): URL {
  const url = URL.parse(text)
  const fault = (expected: string) => faults.push(`the url of webhook ${name} must ${expected}`)
  if (url === null || !/^https?:$/.test(url.protocol)) fault('be like https://host/path')
  else if (url.username || url.password) fault('hold no password: the signature is what proves who sends')
  else if (url.protocol === 'http:' && !allowHosts.has(url.hostname))
    fault(`begin with https://, or ${url.hostname} be in allow_hosts`)
  return url ?? new URL('https://invalid.invalid')
}

function parseSecrets(env: NodeJS.ProcessEnv, variable: string, faults: string[]): string[] {
  const secrets = (env[variable] ?? '').split(/\s+/).filter(Boolean)
  const valid = secrets.every((secret) => {
    const [, encoded] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? []
    const bytes = Buffer.from(encoded ?? '', 'base64').length
    return encoded !== undefined && encoded.length % 4 === 0 && bytes >= SECRET_BYTES.min && bytes <= SECRET_BYTES.max
  })
  if (secrets.length === 0) faults.push(`${variable} is not set: it must be whsec_ and ${base64Expected}`)
  else if (!valid) faults.push(`${variable} must be whsec_ and ${base64Expected}`)
  return secrets
}

const base64Expected = `${SECRET_BYTES.min} to ${SECRET_BYTES.max} random bytes in base64`

const SMTPS_PORT = 465
const SUBMISSION_PORT = 587

/** A password needs TLS: from the start, or by STARTTLS, except on the way to this machine itself. */
function parseSmtpUrl(env: NodeJS.ProcessEnv, variable: string, faults: string[]): SmtpServer {
  const text = env[variable]?.trim() ?? ''
  const url = URL.parse(text)
  const must = text === '' ? 'is not set: it must' : 'must'
  if (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === '')
    faults.push(`${variable} ${must} be a URL like smtps://user:password@host:465`)
  else if (url.search || url.hash || !/^\/?$/.test(url.pathname))
    faults.push(`${variable} must end after the port: options in it have no effect`)
  const { protocol, hostname, port, username, password } = url ?? new URL('smtps://invalid.invalid')
  const host = hostname.replace(/^\[|\]$/g, '')
  const secure = protocol === 'smtps:'
  return {
    host,
    port: Number(port) || (secure ? SMTPS_PORT : SUBMISSION_PORT),
    secure,
    requireTls: !secure && username !== '' && !isLoopback(host),
    ...(username !== '' && { auth: { user: decode(username), pass: decode(password) } }),
  }
}

/** A `%` that begins no escape stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
